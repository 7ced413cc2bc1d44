#include "agent/ship/backoff.h"

#include <algorithm>

namespace meldevakt::agent {

Duration backoff(std::uint32_t failures, Duration retry_max, std::uint32_t unit) {
  std::int64_t ceiling = std::min(kBackoffFirst.ms, retry_max.ms);
  for (std::uint32_t n = 1; n < failures && ceiling < retry_max.ms; ++n) {
    ceiling = std::min(ceiling * 2, retry_max.ms);
  }
  const std::int64_t half = ceiling / 2;
  const auto spread = static_cast<std::uint64_t>(ceiling - half);
  return {half + static_cast<std::int64_t>((spread * unit) >> 32U)};
}

}  // namespace meldevakt::agent
