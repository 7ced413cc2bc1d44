// A message that was not stored when it was first delivered, and was when it was sent again: it was
// lost, and that it is stored now does not change that it was.
//
//   const std::vector<Instant> again = delivered_again(lives, life, signs, bench);
//   if (const auto absence = absence_before(again, lives, life, signs, bench)) absence->verdict;
//
// Concluded where a commit is known that came only after a second delivery, at Policy::again_after
// or more after its receipt and its last attempt, up to which it was `lost`, `missing` or
// `in_doubt`. A second delivery is one of which the same log tells a second time, or after a save
// that failed, and no retry of the case system's own explains it (for six hours); or one that,
// after such a failure, the portal confirms a second time, of the same sending. A product that
// stores it late by itself had it all the time: that is stored_after_receipt. What people did
// without a trace in the logs they tell (testimony.h). Pure. Thread-safety: pure function. Cost:
// O(steps and rows of the life) for each delivery, of which at most kDeliveriesMax are looked at.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

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

// Times at which it may have been delivered again before it was stored, sorted. None for nearly
// all. Of more than kDeliveriesMax the first and the last between two attempts to save it are
// looked at (it is most often then that what is so changes), at most so many, half of them the
// first.
inline constexpr std::size_t kDeliveriesMax = 16;
struct Deliveries {
  std::vector<Instant> times;
  bool more = false;  // some are not looked at
};
// `signs`: of the whole life.
[[nodiscard]] Deliveries delivered_again(const Lives& lives, const Life& life, const Signs& signs,
                                         const Bench& bench);
// `deliveries`: as delivered_again() says.
[[nodiscard]] std::optional<Absence> absence_before(const Deliveries& deliveries,
                                                    const Lives& lives, const Life& life,
                                                    const Signs& signs, const Bench& bench);

}  // namespace meldevakt::collector
