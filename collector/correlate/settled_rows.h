// What a message's rows say once they are seen together, and beside what the logs tell of it.
//
// A list need not have a channel: a row without one that tells the same receipt as a row that says
// "print" tells of the same letter. And a list can be read in a wrong zone. Of rows that tell one
// sending in several zones (counting_rows.h) nobody knows which is right, and each counts where it
// asks for more: the earliest is the receipt, what must have been read reaches to the latest, and
// the portal keeps the message from the earliest. But which of them came before the commit is not
// asked of one that is outweighed: the case system acknowledged and stored the message near another
// one, and did not acknowledge it near this one; or, where no acknowledgement decides, anything is
// seen of it near another one, and nothing near this one. Only where whatever tells of such a
// message was read around it, and the portal did not confirm its sending twice. Where several are
// near (it was sent twice) or none is, all of them are asked.
// Pure. Thread-safety: pure functions. Cost: O(n log n) in rows and steps.
#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "collector/correlate/coverage_map.h"
#include "collector/correlate/lives.h"

namespace meldevakt::collector {

// A case system takes, stores and receipts a message within seconds; two zones lie a quarter of an
// hour apart, and what is seen can be near only one of two neighbours.
inline constexpr Duration kHandledWithin = minutes(7);
// Lists that tell a receipt to the second and to the millisecond tell one receipt.
inline constexpr Duration kSameReceipt = seconds(1);

// nullopt: the channels are as they are told.
[[nodiscard]] std::optional<Life> with_channels(const Life& life);

// From when to when each portal confirmed each sending: twice, where these lie apart.
using Sending = std::pair<std::string_view, std::optional<Instant>>;  // portal, sent
[[nodiscard]] std::map<Sending, Interval> confirmations(const std::vector<Receipt>& rows);

// Of life.receipts, by place; empty: they tell no sending in several zones. `clocks`: that told its
// times.
[[nodiscard]] std::vector<bool> outweighed_rows(const Lives& lives, const Life& life,
                                                const CoverageMap& coverage,
                                                const TellingClocks& clocks, const Policy& policy);

}  // namespace meldevakt::collector
