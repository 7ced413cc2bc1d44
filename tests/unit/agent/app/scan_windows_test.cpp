// Times of overload are the same whether a log is followed, read a day late, or scanned.
#include "agent/app/scan_windows.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agent/rules/shipped_packs.h"
#include "tests/unit/agent/app/agent_world.h"
#include "tests/unit/agent/app/program.h"
#include "tests/unit/agent/summarise/watched.h"

namespace meldevakt::agent {
namespace {

using Json = nlohmann::json;
using testing::run_program;
using testing::TempFolder;

// An evening: locks, a backup and what waits for it, a full disk; and a quiet night after it.
constexpr const char* kEvening =
    "2023-02-01 20:00:00.100 CET [4711]: user=f,db=f,app=Fagsystem,client=10.0.0.7 LOG:  process "
    "4711 still waiting for ShareLock on transaction 811 after 1000.119 ms\n"
    "2023-02-01 20:00:20.100 CET [4712]: user=f,db=f,app=Fagsystem,client=10.0.0.7 ERROR:  "
    "canceling statement due to lock timeout\n"
    "2023-02-01 22:00:00.000 CET [5120]: user=p,db=arkiv,app=pg_dump,client=10.0.0.7 LOG:  "
    "connection authorized: user=p database=arkiv application_name=pg_dump\n"
    "2023-02-01 22:20:00.100 CET [4712]: user=f,db=f,app=Fagsystem,client=10.0.0.7 ERROR:  "
    "canceling statement due to statement timeout\n"
    "2023-02-01 22:41:00.000 CET [5120]: user=p,db=arkiv,app=pg_dump,client=10.0.0.7 LOG:  "
    "disconnection: session time: 0:41:00.000 user=p database=arkiv host=[local]\n";
constexpr const char* kNight =
    "2023-02-02 01:10:00.100 CET [4713]: user=f,db=f,app=Fagsystem,client=10.0.0.7 ERROR:  could "
    "not extend file \"base/16401/16409\": No space left on device\n"
    "2023-02-02 01:10:30.100 CET [4711]: user=f,db=f,app=Fagsystem,client=10.0.0.7 LOG:  process "
    "4711 still waiting for ShareLock on transaction 811 after 1000.119 ms\n";

std::string line_of(const Interval& span, const std::string& driver,
                    const std::vector<WindowFact::Count>& signals) {
  std::string out = to_rfc3339(span.from) + " " + to_rfc3339(span.to) + " " + driver;
  for (const WindowFact::Count& count : signals) {
    out += " " + std::string{to_string(count.signal)} + "=" + std::to_string(count.count);
  }
  return out;
}

// As the pipeline tells it, joined as whoever reads its facts does.
std::string followed(const std::vector<std::string>& pieces, Duration between) {
  const auto shipped = std::find_if(
      shipped_packs().begin(), shipped_packs().end(),
      [](const ShippedPack& one) { return one.file_name == "postgresql-stderr.rules.toml"; });
  SourcePipeline::Settings settings = testing::trace_settings();
  settings.pack = load_pack(shipped->text, shipped->file_name, find_shipped_shared_rules).value();
  settings.zone = meldevakt::testing::RuleTimeZones{}.find("Europe/Oslo").value();
  Instant now{1'900'000'000'000};
  SourcePipeline pipeline{settings, now};
  std::vector<Fact> told;
  pipeline.begin_file("e", 0);
  for (const std::string& piece : pieces) {
    pipeline.feed("e", piece, now);
    now = now + between;
    pipeline.caught_up(now);
    testing::append(told, pipeline.take(now).facts);
  }
  pipeline.end_file("e", FileEnd::kComplete, now);
  pipeline.caught_up(now + days(1));
  testing::append(told, pipeline.take(now + days(1)).facts);
  std::vector<WindowFact> windows;
  for (const Fact& fact : testing::final_facts(told)) {
    if (const auto* window = std::get_if<WindowFact>(&fact.what)) windows.push_back(*window);
  }
  std::sort(windows.begin(), windows.end(),
            [](const WindowFact& a, const WindowFact& b) { return a.span < b.span; });
  std::string out;
  WindowFact whole;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    if (i == 0 || windows[i].span.from > whole.span.to + seconds(60)) {
      if (i > 0) out += line_of(whole.span, whole.driver, whole.signals) + "\n";
      whole = windows[i];
      continue;
    }
    whole.span.to = std::max(whole.span.to, windows[i].span.to);
    whole.signals.insert(whole.signals.end(), windows[i].signals.begin(), windows[i].signals.end());
    std::sort(whole.signals.begin(), whole.signals.end());
  }
  out += line_of(whole.span, whole.driver, whole.signals) + "\n";
  return out;
}

std::string scanned(const TempFolder& folder, std::vector<std::string> files) {
  files.insert(files.begin(), {"scan", "--pack", "postgresql-stderr", "--zone", "Europe/Oslo"});
  const std::string text = run_program(folder, files).out;
  const std::size_t last = text.rfind("{\"summary\"");
  REQUIRE(last != std::string::npos);
  std::string out;
  const Json summary = Json::parse(text.substr(last));
  for (const Json& window : summary["summary"]["windows"]) {
    std::vector<WindowFact::Count> signals;
    for (const auto& [name, count] : window["signals"].items()) {
      signals.push_back({signal_from_string(name).value(), count.get<std::uint64_t>()});
    }
    std::sort(signals.begin(), signals.end());
    const Interval span{from_rfc3339(window["from"].get<std::string>()).value(),
                        from_rfc3339(window["to"].get<std::string>()).value()};
    out += line_of(span, window["driver"].get<std::string>(), signals) + "\n";
  }
  return out;
}

TEST_CASE("windows: followed, read late, or scanned: the same") {
  const std::string want =
      "2023-02-01T19:00:00.100Z 2023-02-01T19:00:20.100Z lock_wait db.lock_wait=2\n"
      "2023-02-01T21:00:00.000Z 2023-02-01T21:41:00.000Z backup db.timeout=1 backup.started=1\n"
      "2023-02-02T00:10:00.100Z 2023-02-02T00:10:30.100Z storage_full db.lock_wait=1 "
      "db.storage_full=1\n";
  const std::string whole = std::string{kEvening} + kNight;
  CHECK(followed({whole}, days(1)) == want);
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < whole.size();) {
    const std::size_t end = whole.find('\n', at) + 1;
    lines.push_back(whole.substr(at, end - at));
    at = end;
  }
  CHECK(followed(lines, minutes(10)) == want);
  const TempFolder folder;
  folder.write("b.log", kNight);
  folder.write("a.log", kEvening);
  CHECK(scanned(folder, {folder / "a.log", folder / "b.log"}) == want);
  CHECK(scanned(folder, {folder / "b.log", folder / "a.log"}) == want);
}

TEST_CASE("ScanWindows: so many of a source are kept, and the others counted") {
  ScanWindows windows;
  SignalEvent event;
  event.signal = Signal::kDbTimeout;
  event.rule = "r";
  event.opens_window = true;
  for (std::size_t i = 0; i < ScanWindows::kWindowsMax + 40; ++i) {
    event.time = Instant{} + minutes(10 * static_cast<std::int64_t>(i));
    windows.observe("p", event);
  }
  windows.finish();
  CHECK(windows.all().size() == ScanWindows::kWindowsMax);
  CHECK(windows.left_out() == 40);
}

}  // namespace
}  // namespace meldevakt::agent
