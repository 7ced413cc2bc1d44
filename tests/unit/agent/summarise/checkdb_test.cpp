// LOGS.md signal 43: a CHECKDB that ran meanwhile explains the load; its record stands at its end.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "agent/rules/shipped_packs.h"
#include "tests/unit/agent/summarise/watched.h"

namespace meldevakt::agent {
namespace {

std::string driver_told_by(const std::string& errorlog) {
  const auto shipped = std::find_if(
      shipped_packs().begin(), shipped_packs().end(),
      [](const ShippedPack& one) { return one.file_name == "mssql-errorlog.rules.toml"; });
  const auto pack = load_pack(shipped->text, shipped->file_name, find_shipped_shared_rules);
  REQUIRE(pack);
  SourcePipeline::Settings settings = testing::trace_settings();
  settings.pack = pack.value();
  settings.zone = meldevakt::testing::RuleTimeZones{}.find("Europe/Oslo").value();
  const Instant now{1'900'000'000'000};
  SourcePipeline pipeline{settings, now};
  pipeline.begin_file("e", 0);
  pipeline.feed("e", errorlog, now);
  pipeline.end_file("e", FileEnd::kComplete, now);
  pipeline.caught_up(now + days(1));
  std::string out;
  for (const Fact& fact : testing::final_facts(pipeline.take(now + days(1)).facts)) {
    const auto* const window = std::get_if<WindowFact>(&fact.what);
    if (window != nullptr) out += window->driver + ";";
  }
  return out;
}

TEST_CASE("shipped packs: the driver of slow disks inside a CHECKDB is the CHECKDB") {
  const std::string slow =
      "2023-02-01 03:10:00.10 spid8s      SQL Server has encountered 3 occurrence(s) of I/O "
      "requests "
      "taking longer than 15 seconds to complete on file [D:\\data\\fag.mdf] in database [Fag] "
      "(7).  The OS file handle is 0x1.  The offset of the latest long I/O is: 0x2\n";
  const auto checkdb = [](const std::string& elapsed) {
    return "2023-02-01 03:14:22.10 spid52      DBCC CHECKDB (Fag) executed by FAG\\drift found 0 "
           "errors and repaired 0 errors. Elapsed time: " +
           elapsed + ".\n";
  };
  CHECK(driver_told_by(slow) == "disk;");
  CHECK(driver_told_by(slow + checkdb("0 hours 41 minutes 12 seconds")) == "checkdb;");
  CHECK(driver_told_by(slow + checkdb("0 hours 2 minutes 12 seconds")) == "checkdb;disk;");
  CHECK(driver_told_by(checkdb("0 hours 0 minutes 59 seconds")) == "");
  CHECK(driver_told_by(slow + checkdb("9999 hours 2 minutes 12 seconds")) == "disk;");
}

}  // namespace
}  // namespace meldevakt::agent
