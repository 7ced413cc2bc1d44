#include "agent/ship/clock_comparison.h"

#include <algorithm>

namespace meldevakt::agent {

Duration claimed_clock_error(Duration known, const std::optional<ClockDifference>& difference) {
  if (!difference) return known;
  const Duration behind = Duration{} - difference->least;
  if (difference->least > known) return std::max(difference->most, known);
  if (Duration{} - difference->most > known) return std::max(behind, known);
  return known;
}

}  // namespace meldevakt::agent
