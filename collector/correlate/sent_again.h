// A message that was not stored when it was first delivered, and was when it was sent again: it was
// lost, and that it is stored now does not change that it was.
//
//   if (const auto absence = absence_before(lives, life, bench)) absence->verdict;   // kLost, ...
//
// Concluded where a commit is known that came only after a second delivery (the case system tells
// of receiving or receipting it once more, or the portal confirms it once more), at a time when
// nothing could have been stored of the first any more, and up to which it was `lost`, `missing` or
// `in_doubt`. A product that stores it late by itself, without a second delivery, had it all the
// time: that is stored_after_receipt. What people did without a trace in the logs they tell
// (testimony.h). Pure. Thread-safety: pure function. Cost: O(steps and rows of the life).
#pragma once

#include <optional>
#include <string>

#include "collector/correlate/judge.h"

namespace meldevakt::collector {

struct Absence {
  Verdict verdict = Verdict::kLost;  // until it was delivered again
  Category category = Category::kNone;
  std::string cause;
  std::string explanation;
  Interval times;  // of the first delivery
  Instant again;   // delivered
};

// `signs`: of the whole life.
[[nodiscard]] std::optional<Absence> absence_before(const Lives& lives, const Life& life,
                                                    const Signs& signs, const Bench& bench);
// What was read of the time before a second delivery may matter. False for nearly all.
[[nodiscard]] bool may_have_been_absent(const Signs& signs, const Policy& policy);

}  // namespace meldevakt::collector
