// Whether a message was surely stored before it was receipted: the opposite of Signs'
// receipt_came_first, and not its negation. What clocks and cut times leave open is neither.
//
//   const ReceiptOrder order = order_of(lives, life, *signs.commit, coverage, policy);
//   if (order.commit_came_first) ...
//
// Where the agent of the commit tells of acknowledgements, the earliest of them decides: two times
// of one clock need no allowance. Otherwise every receipt must come later than the commit by more
// than the clocks could err against each other. But for two times of one log, a commit's time in
// whole seconds was probably cut: it may have been almost a second later.
//
// Pure. Thread-safety: pure function.
#pragma once

#include <optional>

#include "collector/correlate/coverage_map.h"
#include "collector/correlate/lives.h"

namespace meldevakt::collector {

struct ReceiptOrder {
  bool commit_came_first = false;
  // By how much, where only clocks that may err against each other say so: no longer true when they
  // err by so much.
  std::optional<Duration> across_clocks;
};

[[nodiscard]] ReceiptOrder order_of(const Lives& lives, const Life& life, const Step& commit,
                                    const CoverageMap& coverage, const Policy& policy);

}  // namespace meldevakt::collector
