// For which days a portal's file is complete, as its name says:
//
//   "bekymringsmeldinger 2023-02-01 til 2023-02-07.csv"    1 to 7 February, both included
//
// The one place where a person who exports "everything from - until" can say so without a tool.
// Dates: 2023-02-01, 20230201, 01.02.2023. A name with other than two dates, or with the second
// before the first, says nothing.
//
// Pure. Thread-safety: pure functions.
#pragma once

#include <optional>
#include <string_view>

#include "common/base/time.h"
#include "common/ports/time_zone.h"

namespace meldevakt {

// [start of the first day, end of the last day) in the zone.
[[nodiscard]] std::optional<Interval> period_in_name(std::string_view file_name,
                                                     const TimeZone& zone);

}  // namespace meldevakt
