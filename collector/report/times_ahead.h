// Messages whose times lie further ahead of now than a right clock can be: a wrong time zone or a
// wrong clock. They wait until then, and until then no control looks at them.
// Pure. Thread-safety: pure function.
#pragma once

#include <cstdint>
#include <string>

#include "collector/correlate/claims.h"
#include "collector/correlate/correlate.h"
#include "common/receipts/counting_rows.h"

namespace meldevakt::collector {

// What lies further ahead of now, or of when it was received, is a wrong time or a wrong clock.
inline constexpr Duration kAheadMax = kClockWrong;
static_assert(kAheadMax == kRowAheadMax, "one measure of what is a wrong time");

struct TimesAhead {
  std::uint64_t messages = 0;
  std::string first;  // the name of one of them: the first in order
};

// As of correlation.now.
[[nodiscard]] TimesAhead times_ahead(const Correlation& correlation);

}  // namespace meldevakt::collector
