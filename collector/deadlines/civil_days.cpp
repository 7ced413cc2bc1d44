#include "collector/deadlines/civil_days.h"

namespace meldevakt::collector {
namespace {

constexpr Duration kWinter = hours(1);
constexpr Duration kSummer = hours(2);

// 01:00 UTC on the last Sunday of a month that has 31 days.
Instant change_in(int year, int month) {
  const Instant last = as_utc({year, month, 31, 1, 0, 0, 0});
  const std::int64_t day = last.ms / days(1).ms;  // since a Thursday
  return last - days((day + 4) % 7);
}

}  // namespace

Duration oslo_offset(Instant at) {
  const int year = to_local(at, {}).year;
  return change_in(year, 3) <= at && at < change_in(year, 10) ? kSummer : kWinter;
}

Instant add_civil_days(Instant from, int count) {
  const Instant clock = from + oslo_offset(from) + days(count);  // as if it were UTC
  const Instant summer = clock - kSummer;
  const Instant winter = clock - kWinter;
  // The earlier where both are shown, or neither is.
  const bool only_winter = oslo_offset(summer) != kSummer && oslo_offset(winter) == kWinter;
  return only_winter ? winter : summer;
}

}  // namespace meldevakt::collector
