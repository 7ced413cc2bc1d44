// What one statement claims of its sources. Pure. Thread-safety: pure function.
#pragma once

#include <vector>

#include "collector/correlate/correlate.h"
#include "common/summary/statement.h"

namespace meldevakt::collector {

// One claim a source. How far the clock may be off: what the kernel still corrects and what it
// cannot vouch for, each rounded up to whole milliseconds; at least as much as the statement ends
// after it was received. A statement that ends more than
// kClockWrong after it was received comes from a clock that is wrong, whatever it says of itself:
// nothing later than `received` was read by it. What is cut so is never claimed again; less than
// that is not cut, since the next statement goes on where this one ended.
inline constexpr Duration kClockWrong = minutes(10);
[[nodiscard]] std::vector<LedgerCoverage> claims_of(const Statement& statement, Instant received);

// The same where something that the statement tells cannot be opened: nobody knows what it held, so
// nothing was read. What it claims becomes a gap, and with it the time in which it was made, since
// what is told at once is claimed by a later statement only: as far back as kToldBehind.
inline constexpr Duration kToldBehind = minutes(10);
[[nodiscard]] std::vector<LedgerCoverage> claims_without_facts(const Statement& statement,
                                                               Instant received);

}  // namespace meldevakt::collector
