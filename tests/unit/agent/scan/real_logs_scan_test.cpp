// Every real log at hand, with the packs we ship: nothing breaks, every byte is accounted for, and
// looking at candidates only finds what looking at everything finds.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "agent/rules/shipped_packs.h"
#include "common/testing/doubles.h"
#include "scan_files.h"

namespace meldevakt::agent {
namespace {

using testing_scan::Told;

Told scan_all(const std::vector<FitCandidate>& packs, const std::vector<std::string>& files,
              ScanOrder order) {
  ScanRun::Settings settings;
  settings.packs = packs;
  settings.threads = 2;
  settings.order = order;
  ScanRun run{std::move(settings)};
  Told told;
  run.scan(files, told);
  return told;
}

TEST_CASE("scan: the real logs") {
  const std::filesystem::path logs = MELDEVAKT_SOURCE_DIR "/../shared/data/logs";
  if (!std::filesystem::exists(logs)) {
    MESSAGE("no real logs here (" << logs.string() << "): skipped");
    return;
  }
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{logs}) {
    if (entry.is_regular_file()) files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  const auto zone = testing::RuleTimeZones{}.find("Europe/Oslo");
  REQUIRE(zone.has_value());
  std::vector<FitCandidate> packs;
  for (const ShippedPack& shipped : shipped_packs()) {
    const auto pack = load_pack(shipped.text, shipped.file_name, find_shipped_shared_rules);
    REQUIRE(pack.has_value());
    packs.push_back({pack.value(), zone.value()});
  }
  const Told want = scan_all(packs, files, ScanOrder::kEverything);
  const Told got = scan_all(packs, files, ScanOrder::kPrefiltered);
  const auto [g, w] =
      std::mismatch(got.lines.begin(), got.lines.end(), want.lines.begin(), want.lines.end());
  if (g != got.lines.end()) FAIL_CHECK("found: " << *g);
  if (w != want.lines.end()) FAIL_CHECK("to be found: " << *w);
  REQUIRE(got.lines == want.lines);

  std::size_t fitted = 0;
  for (const ScannedLog& log : got.ended_logs) {
    CAPTURE(log.file);
    if (log.pack == nullptr) {
      CHECK((!log.problem.empty() || log.stats.bytes == 0));
      continue;
    }
    ++fitted;
    CHECK(log.stats.recognised_bytes + log.stats.dropped_bytes <= log.stats.bytes);
    const bool compressed =
        log.file.find(".gz") != std::string::npos || log.file.find(".bz2") != std::string::npos ||
        log.file.find(".evtx") != std::string::npos || log.file.find('!') != std::string::npos;
    if (!compressed) CHECK(log.stats.bytes == std::filesystem::file_size(log.file));
  }
  CHECK(fitted > 20);
  MESSAGE(files.size() << " files, a pack fitted " << fitted << ", "
                       << got.lines.size() - got.ended_logs.size() << " findings");
}

}  // namespace
}  // namespace meldevakt::agent
