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

// Written out, so that nobody moves a level without meaning to: whoever is told goes by it.
TEST_CASE("clocks: how long before it is due each level of each clock begins") {
  struct Case {
    ClockKind kind;
    std::string_view level;
    std::int64_t from_hours;  // before it is due: the level's first moment
  };
  const Case cases[] = {
      {ClockKind::kPurge, "notice", 40 * 24},   {ClockKind::kPurge, "urgent", 72},
      {ClockKind::kPurge, "critical", 24},      {ClockKind::kPurge, "over", 0},
      {ClockKind::kLookAt, "running", 40 * 24}, {ClockKind::kLookAt, "notice", 72},
      {ClockKind::kLookAt, "urgent", 24},       {ClockKind::kLookAt, "critical", 6},
      {ClockKind::kLookAt, "over", 0},          {ClockKind::kFeedback, "running", 40 * 24},
      {ClockKind::kFeedback, "notice", 168},    {ClockKind::kFeedback, "urgent", 48},
      {ClockKind::kFeedback, "critical", 24},   {ClockKind::kFeedback, "over", 0},
      {ClockKind::kNotify, "notice", 40 * 24},  {ClockKind::kNotify, "urgent", 24},
      {ClockKind::kNotify, "critical", 6},      {ClockKind::kNotify, "over", 0},
  };
  constexpr Instant due{1'772'445'600'000};
  for (const Case& c : cases) {
    CAPTURE(std::string{to_string(c.kind)});
    CAPTURE(std::string{c.level});
    const Instant begins = due - hours(c.from_hours);
    CHECK(to_string(clock_at(c.kind, due, begins).level) == c.level);
    if (c.from_hours == 40 * 24) continue;  // from the beginning
    CHECK(to_string(clock_at(c.kind, due, begins - milliseconds(1)).level) != c.level);
  }
}

TEST_CASE("clocks: the table is about the kind it stands for") {
  CHECK(escalation_of(ClockKind::kNotify).kind == ClockKind::kNotify);
  CHECK(escalation_of(ClockKind::kPurge).kind == ClockKind::kPurge);
}

}  // namespace
}  // namespace meldevakt::collector
