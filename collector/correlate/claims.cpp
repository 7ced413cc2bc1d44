#include "collector/correlate/claims.h"

#include <algorithm>
#include <cstdint>

namespace meldevakt::collector {

std::vector<LedgerCoverage> claims_of(const Statement& statement) {
  const std::int64_t us = std::max<std::int64_t>(statement.clock.max_error_us, 0);
  const Duration clock_error = milliseconds(us / 1000 + (us % 1000 == 0 ? 0 : 1));
  std::vector<LedgerCoverage> out;
  for (const SourceCoverage& source : statement.sources) {
    out.push_back({statement.agent, statement.sequence, statement.span, clock_error, source});
  }
  return out;
}

}  // namespace meldevakt::collector
