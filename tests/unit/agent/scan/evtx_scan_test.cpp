// Windows event logs in a scan, with the pack we ship.
#include <doctest/doctest.h>

#include "agent/rules/shipped_packs.h"
#include "scan_files.h"
#include "tests/support/evtx_writer.h"
#include "tests/unit/agent/temp_folder.h"

namespace meldevakt::agent {
namespace {

using meldevakt::testing::EvtxWriter;
using meldevakt::testing::TempFolder;
using testing_scan::scan_with;
using testing_scan::Told;

std::shared_ptr<const Pack> windows_events() {
  for (const ShippedPack& shipped : shipped_packs()) {
    if (shipped.file_name.find("windows-events") == std::string_view::npos) continue;
    auto pack = load_pack(shipped.text, shipped.file_name, find_shipped_shared_rules);
    REQUIRE(pack.has_value());
    return pack.value();
  }
  FAIL("no pack for Windows events");
  return nullptr;
}

std::size_t findings_of(const Told& told, const std::string& file) {
  std::size_t count = 0;
  for (const std::string& line : told.lines) {
    if (line.rfind(file + ":", 0) == 0 && line.find(" disk-slow ") != std::string::npos) ++count;
  }
  return count;
}

TEST_CASE("ScanRun: event logs are read as Windows would render them; damage costs itself") {
  EvtxWriter log;
  log.events_a_chunk = 4;
  log.add(9, {});
  log.add(1, {.id = 6013, .provider = "EventLog"});
  const TempFolder folder;
  folder.write("begun-again.evtx", log.file(false, 1, 1));
  folder.write("dirty.evtx", log.file(true));
  std::string damaged = log.file();
  damaged[agent::kEvtxHeaderBytes] = 'x';
  folder.write("damaged.evtx", damaged);
  folder.write("empty.evtx", EvtxWriter{}.file());
  folder.write("header.evtx", log.file().substr(0, 100));
  const std::vector<std::string> names{"begun-again.evtx", "dirty.evtx", "damaged.evtx",
                                       "empty.evtx", "header.evtx"};
  std::vector<std::string> files;
  for (const std::string& name : names) files.push_back(folder / name);
  for (const ScanOrder order : {ScanOrder::kPrefiltered, ScanOrder::kEverything}) {
    const Told told = scan_with({windows_events()}, files, 2, order);
    REQUIRE(told.ended_logs.size() == names.size());
    CHECK(findings_of(told, files[0]) == 9);
    CHECK(findings_of(told, files[1]) == 9);
    CHECK(findings_of(told, files[2]) == 5);
    CHECK(told.ended_logs[0].problem == "");
    CHECK(told.ended_logs[1].problem == "");
    CHECK(told.ended_logs[2].problem == "damaged chunks: 1 of 3; everything else was read");
    CHECK(told.ended_logs[3].problem == "");
    CHECK(told.ended_logs[4].problem ==
          "it ends in the middle of a chunk; everything else was read");
  }
}

TEST_CASE("ScanRun: the pack for Windows events fits an event log by itself") {
  EvtxWriter log;
  log.add(30, {});
  const TempFolder folder;
  folder.write("a.evtx", log.file());
  const Told told = scan_with({testing_scan::small_pack(), windows_events()}, {folder / "a.evtx"});
  CHECK(findings_of(told, folder / "a.evtx") == 30);
}

}  // namespace
}  // namespace meldevakt::agent
