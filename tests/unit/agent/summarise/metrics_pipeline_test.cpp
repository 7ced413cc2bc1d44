// Metrics and times in doubt through a whole pipeline: live, late, after kills and in a scan.
#include <doctest/doctest.h>

#include <cstdio>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "agent/recognise/log_scanner.h"
#include "agent/summarise/source_pipeline.h"
#include "common/testing/doubles.h"
#include "tests/unit/agent/summarise/trace.h"

namespace meldevakt::agent {
namespace {

using testing::trace_settings;

constexpr Instant kFirst{1'675'220'400'000};
constexpr Instant kLater{1'900'000'000'000};

constexpr std::string_view kPack = R"(
pack = "numbers"
version = "1.0.0"
observes = ["infra.cpu", "infra.disk_slow"]
[record]
kind = "json-lines"
time_field = "time"
time = "%s"
every_record = true
[[metric]]
name = "load"
field = "load"
limit = 90
back = 80
for = "20s"
signal = "infra.cpu"
opens = "overload"
driver = "cpu"
[[metric]]
name = "wait"
field = "wait"
deviations = 5
floor = 20
history = "1h"
history_min = "10m"
signal = "infra.disk_slow"
opens = "overload"
driver = "disk"
)";

SourcePipeline::Settings settings() {
  SourcePipeline::Settings out = trace_settings();
  auto pack = load_pack(kPack, "numbers.rules.toml");
  REQUIRE_MESSAGE(pack, (pack ? "" : pack.error().message()));
  out.pack = pack.value();
  out.flush_lag = Duration{0};
  return out;
}

std::vector<std::string> rows(std::uint64_t seed) {
  std::mt19937_64 random{seed};
  std::vector<std::string> out;
  for (int i = 0; i < 900; ++i) {
    const bool busy = (i / 40) % 7 == 3;
    const bool slow = (i / 60) % 5 == 4;
    const auto load = (busy ? 85 : 5) + random() % 15;
    const auto wait = (slow ? 40 : 2) + random() % 4;
    out.push_back("{\"time\":" + std::to_string(kFirst.ms / 1000 + 10 * i) + ",\"load\":" +
                  std::to_string(load) + ",\"wait\":" + std::to_string(wait) + "}\n");
  }
  return out;
}

using Windows = std::map<std::string, Fact>;

void keep(Windows& windows, std::vector<Fact> facts) {
  for (Fact& fact : facts) {
    const auto [at, is_new] = windows.emplace(fact.id, fact);
    if (!is_new && at->second.revision < fact.revision) at->second = std::move(fact);
  }
}

// Read at once, long after it was written.
Windows late(const std::vector<std::string>& lines) {
  SourcePipeline pipeline{settings(), kFirst};
  pipeline.begin_file("a", 0);
  for (const std::string& line : lines) pipeline.feed("a", line, kLater);
  pipeline.caught_up(kLater);
  Windows out;
  keep(out, pipeline.take(kLater).facts);
  return out;
}

// Read as it is written, killed now and then after a commit.
Windows live(const std::vector<std::string>& lines, std::uint64_t seed) {
  std::mt19937_64 random{seed};
  SourcePipeline pipeline{settings(), kFirst};
  pipeline.begin_file("a", 0);
  Windows out;
  Instant now = kFirst;
  std::uint64_t offset = 0;
  for (const std::string& line : lines) {
    pipeline.feed("a", line, now);
    offset += line.size();
    pipeline.caught_up(now);
    pipeline.idle(now);
    now = now + seconds(10);
    if (random() % 3 == 0) keep(out, pipeline.take(now).facts);
    if (random() % 20 == 0) {
      keep(out, pipeline.take(now).facts);
      REQUIRE(pipeline.low_water("a") == offset);
      auto again = SourcePipeline::restore(settings(), pipeline.snapshot(now), now);
      REQUIRE_MESSAGE(again, (again ? "" : again.error().message()));
      pipeline = std::move(again).value();
      pipeline.begin_file("a", offset);
    }
  }
  pipeline.caught_up(kLater);
  keep(out, pipeline.take(kLater).facts);
  return out;
}

TEST_CASE("metrics: the same windows live, late, and after restarts; the same samples in a scan") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    const std::vector<std::string> lines = rows(seed);
    const Windows whole = late(lines);
    CHECK(whole.size() > 3);
    const Windows followed = live(lines, seed);
    REQUIRE(followed.size() == whole.size());
    std::uint64_t samples = 0;
    for (const auto& [id, fact] : whole) {
      REQUIRE(followed.count(id) == 1);
      CHECK(followed.at(id).what == fact.what);
      const auto& window = std::get<WindowFact>(fact.what);
      CHECK(window.metrics > 0);
      samples += window.metrics;
    }
    LogScanner::Settings with;
    with.pack = settings().pack;
    LogScanner scanner{with};
    for (const std::string& line : lines) scanner.feed(line);
    scanner.finish();
    CHECK(scanner.take().size() == samples);
  }
}

TEST_CASE("metrics: an operator's limit reaches the pipeline, and the coverage has its kind") {
  SourcePipeline::Settings own = settings();
  own.metric_limits = {{"load", 1.0}, {"wait", 1000.0}};
  own.kind = "metrics";
  SourcePipeline pipeline{own, kFirst};
  pipeline.begin_file("a", 0);
  for (const std::string& line : rows(1)) pipeline.feed("a", line, kLater);
  pipeline.caught_up(kLater);
  const SourceYield yield = pipeline.take(kLater);
  CHECK(yield.coverage.kind == "metrics");
  CHECK(yield.coverage.bytes.unrecognised == 0);
  Windows windows;
  keep(windows, yield.facts);
  REQUIRE(windows.size() == 1);  // all the time
  CHECK(std::get<WindowFact>(windows.begin()->second.what).span ==
        Interval{kFirst, kFirst + seconds(8990)});
}

// The night of 2022-10-30 in Oslo: 02:00 to 03:00 comes twice.
TEST_CASE("time in doubt: the doubled hour claims no coverage, and its steps say so") {
  SourcePipeline::Settings with = trace_settings();
  meldevakt::testing::RuleTimeZones zones;
  with.zone = zones.find("Europe/Oslo").value();
  const Instant first{1'667'086'200'000};  // 01:30 in Oslo, 23:30Z
  SourcePipeline pipeline{with, first};
  pipeline.begin_file("a", 0);
  const auto feed = [&](const std::string& stamp, const std::string& text) {
    pipeline.feed("a", "2022-10-30 " + stamp + ",000 [17] " + text + "\n", kLater);
  };
  const std::string message = "7e57a110-0000-4000-8000-000000000001";
  feed("01:30:00", "working on " + message);
  feed("01:59:00", "working on " + message);
  feed("02:30:00", "received " + message);  // at 00:30Z, or at 01:30Z
  feed("02:31:00", "stored " + message);
  feed("02:31:01", "working on " + message);
  // Until then nothing is sure but what was before the hour.
  CHECK(pipeline.watermark() < first + minutes(30));
  feed("03:10:00", "working on " + message);
  feed("03:11:00", "working on " + message);
  pipeline.idle(kLater + seconds(10));
  CHECK(pipeline.watermark() > first + hours(2));
  const SourceYield yield = pipeline.take(kLater + seconds(20));
  int steps = 0;
  for (const Fact& fact : yield.facts) {
    if (const auto* const step = std::get_if<StepFact>(&fact.what)) {
      ++steps;
      CHECK(step->time_error == hours(1));
    }
  }
  CHECK(steps == 2);
}

}  // namespace
}  // namespace meldevakt::agent
