// What a statement says of this host's clock: what the kernel vouches for, what the configuration
// says where it vouches for nothing, and more where the collector's clock says otherwise
// (agent/ship/clock_comparison.h). Pure. Thread-safety: pure functions.
#pragma once

#include <optional>
#include <string>

#include "agent/ship/clock_comparison.h"
#include "common/base/time.h"
#include "common/platform/clock.h"
#include "common/summary/statement.h"

namespace meldevakt::agent {

// By how much the clock may be off as far as this host knows, rounded up. `error_max`: [clock]
// error_max, of a clock that follows nothing.
[[nodiscard]] Duration known_clock_error(const ClockQuality& quality, Duration error_max);

// Everything but `stepped`.
[[nodiscard]] ClockState clock_state(const ClockQuality& quality, Duration error_max,
                                     const std::optional<ClockDifference>& difference);

// "93.2 s ahead of" where the difference is more than what this host knows of; else "".
[[nodiscard]] std::string words_of_difference(Duration known,
                                              const std::optional<ClockDifference>& difference);

}  // namespace meldevakt::agent
