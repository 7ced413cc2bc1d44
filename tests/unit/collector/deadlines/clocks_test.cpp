#include "collector/deadlines/clocks.h"

#include <doctest/doctest.h>

#include <string>

namespace meldevakt::collector {
namespace {

TEST_CASE(
    "clocks: each level begins exactly when it should, and `next` leads from one to the next") {
  constexpr Instant due{1'772'445'600'000};
  for (const ClockKind kind :
       {ClockKind::kPurge, ClockKind::kLookAt, ClockKind::kFeedback, ClockKind::kNotify}) {
    CAPTURE(std::string{to_string(kind)});
    Instant now = due - days(40);
    RunningClock clock = clock_at(kind, due, now);
    std::string levels{to_string(clock.level)};
    while (clock.next) {
      const RunningClock before = clock_at(kind, due, *clock.next - milliseconds(1));
      CHECK(before.level == clock.level);
      CHECK(before.next == clock.next);
      now = *clock.next;
      clock = clock_at(kind, due, now);
      levels += " " + std::string{to_string(clock.level)};
    }
    CHECK(now == due);
    const bool begins = !escalation_of(kind).notice;
    CHECK(levels ==
          (begins ? "notice urgent critical over" : "running notice urgent critical over"));
  }
}

TEST_CASE("clocks: the table is about the kind it stands for") {
  CHECK(escalation_of(ClockKind::kNotify).kind == ClockKind::kNotify);
  CHECK(escalation_of(ClockKind::kPurge).kind == ClockKind::kPurge);
}

}  // namespace
}  // namespace meldevakt::collector
