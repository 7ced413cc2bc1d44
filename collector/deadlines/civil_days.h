// Days as people in Norway count them: a deadline of so many days ends at the same time of day by
// their clocks, also when those are put forward or back in between. A deadline in hours is hours.
//
//   Instant due = add_civil_days(sent, 21);
//
// The rule of Europe/Oslo since 1996 (directive 2000/84/EC): an hour ahead of UTC, two from the
// last Sunday of March 01:00 UTC to the last Sunday of October 01:00 UTC. It is written down here
// because a verdict depends on nothing but what is kept (no zone data of a machine).
//
// Where the clock shows that time twice or never, the earlier of the two readings counts: a
// deadline never comes later than somebody may read it. Pure. Thread-safety: pure functions.
#pragma once

#include "common/base/time.h"

namespace meldevakt::collector {

[[nodiscard]] Duration oslo_offset(Instant at);  // ahead of UTC
[[nodiscard]] Instant add_civil_days(Instant from, int count);

}  // namespace meldevakt::collector
