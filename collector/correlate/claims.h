// What one statement claims of its sources. Pure. Thread-safety: pure function.
#pragma once

#include <vector>

#include "collector/correlate/correlate.h"
#include "common/summary/statement.h"

namespace meldevakt::collector {

// One claim a source. How far the clock may be off: what the kernel still corrects and what it
// cannot vouch for, each rounded up to whole milliseconds.
[[nodiscard]] std::vector<LedgerCoverage> claims_of(const Statement& statement);

}  // namespace meldevakt::collector
