// What a message's rows say once they are seen together, and beside what the logs tell of it.
//
//   const std::optional<Life> settled = with_settled_rows(lives, life);
//   const Signs signs = gather_signs(lives, settled ? *settled : life, ...);
//
// A list need not have a channel: a row without one that tells the same receipt as a row that says
// "print" tells of the same letter. And a list can be read in a wrong zone: of rows that tell one
// sending in several zones (counting_rows.h), those that lie nowhere near anything that is seen of
// the message, while another of them does, are wrong and count for nothing. Where none lies near,
// or several do (sent twice, or nobody knows), all of them count.
// Pure. Thread-safety: pure function. Cost: O(n log n) in rows and steps.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "collector/correlate/lives.h"

namespace meldevakt::collector {

// A case system takes, stores and receipts a message within seconds; two zones lie a quarter of an
// hour apart, and what is seen can be near only one of two neighbours.
inline constexpr Duration kHandledWithin = minutes(7);
// Lists that tell a receipt to the second and to the millisecond tell one receipt.
inline constexpr Duration kSameReceipt = seconds(1);

// Of rows that tell one sending in several zones: those of which nothing lies near, so that nobody
// knows which is right, as places in life.receipts.
[[nodiscard]] std::vector<std::vector<std::size_t>> zones_in_doubt(const Lives& lives,
                                                                   const Life& life);

// nullopt: all of them count as they are.
[[nodiscard]] std::optional<Life> with_settled_rows(const Lives& lives, const Life& life);

}  // namespace meldevakt::collector
