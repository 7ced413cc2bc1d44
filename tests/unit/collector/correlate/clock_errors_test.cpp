#include "collector/correlate/clock_errors.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "common/testing/doubles.h"

namespace meldevakt::collector {
namespace {

constexpr Instant kNoon{1'675'252'800'000};

TEST_CASE("ClockErrors: an ordinary error counts for all time, a large one for its hours") {
  ClockErrors errors;
  CHECK(errors.of("a1", kNoon) == Duration{});
  CHECK(errors.add("a1", {kNoon, kNoon + minutes(1)}, milliseconds(7)).grew);
  CHECK(errors.of("a1", kNoon - days(900)) == milliseconds(7));
  CHECK(errors.widest("a1", {kNoon, kNoon}) == milliseconds(100));
  CHECK(errors.of("a2", kNoon) == Duration{});
  // As much, or less: nothing new.
  CHECK_FALSE(errors.add("a1", {kNoon, kNoon + minutes(1)}, milliseconds(7)).grew);
  // More, and within the same step: what must have been read stays what it was.
  const auto more = errors.add("a1", {kNoon, kNoon + minutes(1)}, milliseconds(8));
  CHECK(more.grew);
  CHECK_FALSE(more.everywhere);
  CHECK(errors.add("a1", {kNoon, kNoon}, ClockErrors::kOrdinary).everywhere);

  const Interval told{kNoon + minutes(30), kNoon + minutes(90)};
  const auto large = errors.add("a1", told, hours(1));
  CHECK_FALSE(large.grew);  // of() of no other time
  CHECK_FALSE(large.everywhere);
  CHECK(large.where == std::vector<Interval>{{kNoon, kNoon + hours(2)}});
  CHECK(errors.of("a1", kNoon) == hours(1));
  CHECK(errors.of("a1", kNoon + hours(2) - milliseconds(1)) == hours(1));
  CHECK(errors.of("a1", kNoon + hours(2)) == ClockErrors::kOrdinary);
  CHECK(errors.of("a1", kNoon - milliseconds(1)) == ClockErrors::kOrdinary);
  CHECK(errors.of("a1", {kNoon - hours(5), kNoon}) == hours(1));
  CHECK(errors.largest("a1") == hours(1));
  CHECK(errors.ordinary() == ClockErrors::kOrdinary);
  CHECK(errors.large() == large.where);
  CHECK(errors.widest_of_any({kNoon, kNoon}) == hours(1));
  // A clock that jumped tells of years: only where it was before and after counts.
  const Instant jumped = kNoon + days(3650);
  const auto years = errors.add("a2", {kNoon, jumped}, days(3650));
  CHECK_FALSE(years.everywhere);
  CHECK(years.where.size() == 2);
  CHECK(errors.large().size() == 2);  // the first day holds noon's hours
  CHECK(errors.of("a2", kNoon + hours(3)) == days(3650));
  CHECK(errors.of("a2", jumped) == days(3650));
  CHECK(errors.of("a2", kNoon - hours(1)) == Duration{});
  CHECK(errors.of("a2", kNoon + days(2)) == Duration{});
  CHECK(errors.of("a2", kNoon + days(900)) == Duration{});
}

TEST_CASE("ClockErrors: order and repetition do not matter") {
  const std::uint64_t seed = 20221101;
  CAPTURE(seed);
  meldevakt::testing::SeededRandom random{seed};
  struct Told {
    Interval span;
    Duration error;
  };
  for (int round = 0; round < 50; ++round) {
    std::vector<Told> all(8);
    for (Told& one : all) {
      one.span.from = kNoon + minutes(static_cast<std::int64_t>(random.below(600)));
      one.span.to = one.span.from + minutes(static_cast<std::int64_t>(random.below(300)));
      one.error = seconds(static_cast<std::int64_t>(random.below(12)));
    }
    ClockErrors forth;
    ClockErrors back;
    for (const Told& one : all) static_cast<void>(forth.add("a", one.span, one.error));
    std::reverse(all.begin(), all.end());
    for (const Told& one : all) static_cast<void>(back.add("a", one.span, one.error));
    for (const Told& one : all) {
      const auto again = back.add("a", one.span, one.error);
      CHECK((!again.grew && again.where.empty()));
    }
    for (int minute = -60; minute < 1000; minute += 7) {
      const Instant at = kNoon + minutes(minute);
      Duration plain;
      for (const Told& one : all) {
        const std::int64_t hour = hours(1).ms;
        const bool its =
            one.error <= ClockErrors::kOrdinary ||
            (one.span.from.ms / hour <= at.ms / hour && at.ms / hour <= one.span.to.ms / hour);
        if (its) plain = std::max(plain, one.error);
      }
      REQUIRE(forth.of("a", at) == plain);
      REQUIRE(back.of("a", at) == plain);
    }
  }
}

}  // namespace
}  // namespace meldevakt::collector
