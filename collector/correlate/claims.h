// What one statement claims of its sources. Pure. Thread-safety: pure function.
#pragma once

#include <vector>

#include "collector/correlate/correlate.h"
#include "common/summary/statement.h"

namespace meldevakt::collector {

// One claim a source; the agent's clock error is rounded up to whole milliseconds.
[[nodiscard]] std::vector<LedgerCoverage> claims_of(const Statement& statement);

}  // namespace meldevakt::collector
