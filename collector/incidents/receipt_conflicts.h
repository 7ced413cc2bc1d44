// Where the portal says two things of one message that cannot both be so: sent at two times,
// confirmed at two times, of two forms, for two bydeler, confirmed by the case system and as a
// letter that was posted. Either a row was wrong once, or two
// messages have one id; which of them only the portal knows.
//
//   for (const ReceiptConflict& one : receipt_conflicts(versions)) ...
//
// That a row was filled in (confirmed at last, a form that was unknown) or that the channel changed
// (printed after all) is the ordinary course and no contradiction. Times within kSameTime are one:
// some rows are in whole seconds.
//
// What the verdict stands on is not changed by it (README.md, "What comes badly"). Pure.
// Thread-safety: pure function. Cost: O(n log n).
#pragma once

#include <string>
#include <vector>

#include "common/base/time.h"
#include "common/receipts/receipts.h"

namespace meldevakt::collector {

inline constexpr Duration kSameTime = seconds(1);

struct ReceiptConflict {
  std::string message;
  std::vector<std::string> portals;  // that tell of it, sorted
  std::vector<std::string> fields;   // that differ: "sent", "confirmed", "form", "district",
                                     // "channel"
  auto operator<=>(const ReceiptConflict&) const = default;
};

// `versions`: every row that was ever told, in any order, repeated or not. Sorted by message.
[[nodiscard]] std::vector<ReceiptConflict> receipt_conflicts(const std::vector<Receipt>& versions);

}  // namespace meldevakt::collector
