// A source whose files say themselves how they are to be read: what they said survives a restart,
// each file for itself, and every byte stays in the account.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "agent/summarise/explain.h"
#include "tests/unit/agent/summarise/trace.h"

namespace meldevakt::agent {
namespace {

using testing::trace_settings;
constexpr Instant kNow{1'700'000'000'000};

constexpr std::string_view kW3cPack = R"(
pack     = "web"
version  = "1.0.0"
observes = ["db.slow"]
[record]
kind = "w3c"
[[rule]]
id      = "busy"
signal  = "db.slow"
literal = "503"
pattern = '(?m)^sc-status=503$'
opens   = "overload"
)";

constexpr std::string_view kAlertPack = R"(
pack     = "alert"
version  = "1.0.0"
observes = ["db.slow"]
[record]
starts      = '\S'
header_only = '\d{4}-\d\d-\d\dT'
time        = "%Y-%m-%dT%H:%M:%S%z"
idle        = "0s"
[[rule]]
id      = "stall"
signal  = "db.slow"
literal = "cannot allocate"
opens   = "overload"
)";

SourcePipeline::Settings settings_of(std::string_view pack) {
  SourcePipeline::Settings settings = trace_settings();
  auto loaded = load_pack(pack, "prove.rules.toml");
  REQUIRE_MESSAGE(loaded, (loaded ? "" : loaded.error().message()));
  settings.pack = loaded.value();
  return settings;
}

void check_account(const SourceYield& yield) {
  const ByteCounts& bytes = yield.coverage.bytes;
  CHECK(bytes.read == bytes.recognised + bytes.unrecognised + bytes.dropped + bytes.pending);
}

// The windows that a pipeline tells, by their beginning.
std::string windows_of(SourcePipeline& pipeline) {
  pipeline.caught_up(kNow + hours(1));
  const SourceYield yield = pipeline.take(kNow + hours(1));
  check_account(yield);
  std::string out;
  for (const Fact& fact : yield.facts) {
    const auto* const window = std::get_if<WindowFact>(&fact.what);
    if (window != nullptr) out += to_rfc3339(window->span.from).substr(0, 19) + " ";
  }
  return out;
}

TEST_CASE("SourcePipeline: what a file said of its columns survives a restart") {
  const std::string head = "#Fields: date time sc-status\n2023-02-01 10:00:00 200\n";
  const std::string rest = "2023-02-01 10:00:01 503\n";
  SourcePipeline first{settings_of(kW3cPack), kNow};
  first.begin_file("a", 0);
  first.feed("a", head, kNow);
  CHECK(first.low_water("a") == head.size());
  auto second = SourcePipeline::restore(settings_of(kW3cPack), first.snapshot(kNow), kNow);
  REQUIRE(second.has_value());
  second.value().begin_file("a", head.size());
  second.value().feed("a", rest, kNow);
  CHECK(windows_of(second.value()) == "2023-02-01T10:00:01 ");
}

TEST_CASE("SourcePipeline: the time in force is each file's own, over a restart too") {
  SourcePipeline first{settings_of(kAlertPack), kNow};
  first.begin_file("a", 0);
  first.begin_file("b", 0);
  first.feed("a", "2023-02-01T10:00:00Z\nx\n", kNow);
  first.feed("b", "2023-02-01T12:00:00Z\nx\n", kNow);
  first.idle(kNow);
  auto second = SourcePipeline::restore(settings_of(kAlertPack), first.snapshot(kNow), kNow);
  REQUIRE(second.has_value());
  second.value().begin_file("a", 23);
  second.value().begin_file("b", 23);
  second.value().feed("a", "cannot allocate\n", kNow);
  second.value().feed("b", "cannot allocate\n", kNow);
  second.value().idle(kNow);
  CHECK(windows_of(second.value()) == "2023-02-01T10:00:00 2023-02-01T12:00:00 ");
}

TEST_CASE("SourcePipeline: padding is in the account wherever it stands") {
  const std::string padding(5000, '\0');
  for (const std::string& text :
       {padding, padding + "x\n", "x\n" + padding, "x\n" + padding + "y\n" + padding + "z\n"}) {
    for (const std::size_t chunk : {text.size(), std::size_t{7}}) {
      SourcePipeline pipeline{settings_of(kAlertPack), kNow};
      pipeline.begin_file("a", 0);
      for (std::size_t at = 0; at < text.size(); at += chunk) {
        pipeline.feed("a", std::string_view{text}.substr(at, chunk), kNow);
        pipeline.idle(kNow);
        check_account(pipeline.take(kNow));
      }
      pipeline.end_file("a", FileEnd::kComplete, kNow);
      const SourceYield yield = pipeline.take(kNow);
      check_account(yield);
      CHECK(yield.coverage.bytes.pending == 0);
      CHECK(yield.coverage.bytes.dropped % padding.size() == 0);
      CHECK(yield.coverage.bytes.dropped > 0);
    }
  }
}

TEST_CASE("Explainer: a structured record is shown as rules see it, and how the file was cut up") {
  Explainer::Settings settings;
  settings.pack = settings_of(kW3cPack).pack;
  settings.fact_key = std::string(32, 'f');
  settings.show_text = true;
  Explainer explainer{settings};
  explainer.feed("#Fields: date time sc-status\n2023-02-01 10:00:00 503\n2023-02-01 10:00:01\n");
  explainer.finish();
  const std::vector<std::string> lines = explainer.take();
  REQUIRE(lines.size() >= 4);
  using nlohmann::json;
  CHECK(json::parse(lines[0]).at("record").at("context") == true);
  const json busy = json::parse(lines[1]).at("record");
  CHECK(busy.at("text") ==
        "datetime=2023-02-01 10:00:00Z\ndate=2023-02-01\ntime=10:00:00\nsc-status=503");
  CHECK(busy.at("events").at(0).at("rule") == "busy");
  CHECK(json::parse(lines[2]).at("record").at("malformed") == true);
  const json framing = json::parse(lines.back()).at("summary").at("framing");
  CHECK(framing.at("kind") == "w3c");
  CHECK(framing.at("encoding") == "utf-8");
  CHECK(framing.at("malformed") == 1);
}

}  // namespace
}  // namespace meldevakt::agent
