// Times in doubt and metrics: what the detector, its windows and the life tracker make of them.
#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "agent/detect/detector.h"
#include "agent/detect/life_tracker.h"
#include "tests/unit/agent/detect/script.h"

namespace meldevakt::agent {
namespace {

using testing::kContent;
using testing::kNow;
using testing::reference;

constexpr Instant kHour{1'667'088'000'000};  // 2022-10-30 00:00Z: 02:00 in Oslo, for the first time

SignalEvent event(Instant time, Signal signal, TimeDoubt doubt, std::uint64_t offset) {
  SignalEvent out;
  out.signal = signal;
  out.time = time;
  out.time_doubt = doubt;
  out.rule = "rule";
  out.offset = offset;
  return out;
}

std::vector<Fact> facts_of(const std::vector<SignalEvent>& events, bool with_restarts = false) {
  Detector::Settings settings;
  settings.source = "trace";
  settings.fact_key = std::string(32, 'k');
  Detector detector{settings};
  for (const SignalEvent& one : events) {
    detector.observe(one, kContent, kNow);
    if (!with_restarts) continue;
    auto again = Detector::restore(settings, {}, detector.snapshot());
    REQUIRE(again);
    detector = std::move(again).value();
  }
  detector.idle(kHour + hours(48), kNow);
  return detector.drain();
}

TEST_CASE("time in doubt: a record is not older than the one before it, and says how far off") {
  auto first = event(kHour + minutes(59), Signal::kMessageReceived, TimeDoubt::kNone, 0);
  first.references = {reference("P1")};
  auto second = event(kHour + minutes(1), Signal::kMessageCommitted, TimeDoubt::kTwoReadings, 10);
  second.references = {reference("P1")};
  auto sure = event(kHour + minutes(30), Signal::kMessageCommitted, TimeDoubt::kNone, 20);
  sure.references = {reference("P2")};
  const auto facts = facts_of({first, second, sure});
  REQUIRE(facts.size() == 3);
  const auto step = [&](std::size_t i) { return std::get<StepFact>(facts[i].what); };
  CHECK(step(0).time == kHour + minutes(59));
  CHECK(step(0).time_error == Duration{0});
  CHECK(step(1).time == kHour + minutes(59));
  CHECK(step(1).time_error == hours(1));
  // A sure time that goes back is what the log says.
  CHECK(step(2).time == kHour + minutes(30));
  CHECK(facts_of({first, second, sure}, true) == facts);
}

TEST_CASE("time in doubt: a window reaches as far as its times may be off") {
  auto timeout = event(kHour, Signal::kDbTimeout, TimeDoubt::kTwoReadings, 0);
  timeout.opens_window = true;
  const auto facts = facts_of({timeout}, true);
  REQUIRE(facts.size() == 1);
  const auto& window = std::get<WindowFact>(facts[0].what);
  CHECK(window.span == Interval{kHour - hours(1), kHour + hours(1)});
  CHECK(window.metrics == 0);
}

TEST_CASE("metrics: a window reaches from sample to sample and counts them") {
  const auto sample = [](Instant since, Instant time, std::uint64_t offset) {
    auto out = event(time, Signal::kInfraCpu, TimeDoubt::kNone, offset);
    out.opens_window = true;
    out.over_since = since;
    return out;
  };
  auto timeout = event(kHour + minutes(11), Signal::kDbTimeout, TimeDoubt::kNone, 5);
  timeout.opens_window = true;
  // Five minutes apart, yet one window; the timeout lies within it.
  const std::vector<SignalEvent> events{sample(kHour, kHour + minutes(5), 1),
                                        sample(kHour + minutes(5), kHour + minutes(10), 2), timeout,
                                        sample(kHour + minutes(10), kHour + minutes(15), 6),
                                        sample(kHour + minutes(40), kHour + minutes(45), 7)};
  for (const bool restarts : {false, true}) {
    const auto facts = facts_of(events, restarts);
    REQUIRE(facts.size() == 2);
    const auto& one = std::get<WindowFact>(facts[0].what);
    CHECK(one.span == Interval{kHour, kHour + minutes(15)});
    CHECK(one.metrics == 3);
    REQUIRE(one.signals.size() == 2);
    CHECK(one.signals[1].count == 3);
    const auto& two = std::get<WindowFact>(facts[1].what);
    CHECK(two.span == Interval{kHour + minutes(40), kHour + minutes(45)});
    CHECK(two.metrics == 1);
  }
}

Fact step(const std::string& id, Signal signal, Instant time, Duration error) {
  StepFact what;
  what.signal = signal;
  what.time = time;
  what.time_error = error;
  what.attribution = Attribution::kNamed;
  what.references = {reference("P1")};
  if (signal == Signal::kMessageSaveFailed) what.outcome = Outcome::kFailed;
  return {std::string(31, '0') + id, 0, "trace", "rule", what};
}

std::string findings_at(const std::vector<Fact>& facts, Instant watermark) {
  LifeTracker::Settings settings;
  LifeTracker lives{settings};
  for (const Fact& fact : facts) lives.add(fact);
  auto restored = LifeTracker::restore(settings, lives.snapshot());
  REQUIRE(restored);
  std::string out;
  for (const Finding& one : restored.value().findings(watermark)) {
    out += std::string{to_string(one.kind)} + " ";
  }
  return out;
}

TEST_CASE("time in doubt: what may only seem so is not told") {
  const Duration sure{0};
  const auto receipt = [](Instant at, Duration error) {
    return step("1", Signal::kMessageAcknowledged, at, error);
  };
  const auto commit = [](Instant at, Duration error) {
    return step("2", Signal::kMessageCommitted, at, error);
  };
  const Instant end = kHour + hours(6);
  CHECK(findings_at({receipt(kHour, sure), commit(kHour + seconds(5), sure)}, end) ==
        "receipt_before_commit ");
  CHECK(findings_at({receipt(kHour, hours(1)), commit(kHour + seconds(5), sure)}, end) == "");
  CHECK(findings_at({receipt(kHour, sure), commit(kHour + seconds(5), hours(1))}, end) == "");
  // An hour later by any reading.
  CHECK(findings_at({receipt(kHour, hours(1)), commit(kHour + hours(1) + seconds(5), sure)}, end) ==
        "receipt_before_commit ");
  // A commit half an hour after the receipt may have been at once.
  CHECK(findings_at({receipt(kHour, hours(1)), commit(kHour + minutes(30), sure)}, end) == "");
  // Without one the grace time ends with the last hour that it may have begun in.
  CHECK(findings_at({receipt(kHour, hours(1))}, kHour + minutes(59)) == "");
  CHECK(findings_at({receipt(kHour, hours(1))}, kHour + hours(1) + seconds(30)) ==
        "receipt_without_commit ");
  const Fact failure = step("3", Signal::kMessageSaveFailed, kHour, hours(1));
  CHECK(findings_at({failure}, kHour + minutes(59)) == "");
  CHECK(findings_at({failure}, kHour + hours(2)) == "failed_commit ");
  CHECK(findings_at({failure, commit(kHour - minutes(50), sure)}, end) == "");
}

}  // namespace
}  // namespace meldevakt::agent
