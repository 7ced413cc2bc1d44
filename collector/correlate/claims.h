// What one statement claims of its sources. Pure. Thread-safety: pure function.
#pragma once

#include <vector>

#include "collector/correlate/correlate.h"
#include "common/summary/statement.h"

namespace meldevakt::collector {

// One claim a source. How far the clock may be off: what the kernel still corrects and what it
// cannot vouch for, each rounded up to whole milliseconds. A statement that ends after it was
// received comes from a clock that is ahead by that much at least, whatever it says of itself: so
// much more may it be off, and nothing later than `received` was read.
[[nodiscard]] std::vector<LedgerCoverage> claims_of(const Statement& statement, Instant received);

}  // namespace meldevakt::collector
