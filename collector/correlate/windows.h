// Which overload windows overlap a stretch of time, without looking at all of them.
// Pure. Thread-safety: const after construction. Cost: O(log n + found) a question.
#pragma once

#include <cstddef>
#include <vector>

#include "collector/correlate/correlate.h"

namespace meldevakt::collector {

class WindowIndex {
 public:
  // `windows`: sorted by start; must outlive the index.
  explicit WindowIndex(const std::vector<OverloadWindow>& windows);

  // Both ends count, since a window of one signal has no length. The first `max` by start.
  [[nodiscard]] std::vector<OverloadWindow> overlapping(const Interval& span,
                                                        std::size_t max) const;

 private:
  Instant fill(std::size_t node, std::size_t from, std::size_t to);
  void search(std::size_t node, std::size_t from, std::size_t to, const Interval& span,
              std::size_t max, std::vector<OverloadWindow>& out) const;

  const std::vector<OverloadWindow>& windows_;
  std::vector<Instant> latest_end_;  // of each node of a binary tree over windows_
};

}  // namespace meldevakt::collector
