// How long to wait before the next attempt. Pure.
//
// The n-th failure in a row waits between half and all of min(kFirst * 2^(n-1), retry_max):
// growing, so that a collector that is down is left in peace, and spread by `unit`, so that a fleet
// that lost it together does not come back together.
#pragma once

#include <cstdint>

#include "common/base/time.h"

namespace meldevakt::agent {

inline constexpr Duration kBackoffFirst = milliseconds(500);

// `failures` >= 1; `unit` in [0, 2^32), drawn evenly.
[[nodiscard]] Duration backoff(std::uint32_t failures, Duration retry_max, std::uint32_t unit);

}  // namespace meldevakt::agent
