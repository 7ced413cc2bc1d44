#include "collector/correlate/windows.h"

#include <algorithm>

namespace meldevakt::collector {

WindowIndex::WindowIndex(const std::vector<OverloadWindow>& windows) : windows_{windows} {
  if (windows.empty()) return;
  latest_end_.resize(4 * windows.size());
  fill(1, 0, windows.size());
}

Instant WindowIndex::fill(std::size_t node, std::size_t from, std::size_t to) {
  if (to - from == 1) return latest_end_[node] = windows_[from].span.to;
  const std::size_t middle = from + (to - from) / 2;
  const Instant left = fill(2 * node, from, middle);
  const Instant right = fill(2 * node + 1, middle, to);
  return latest_end_[node] = std::max(left, right);
}

std::vector<OverloadWindow> WindowIndex::overlapping(const Interval& span, std::size_t max) const {
  std::vector<OverloadWindow> out;
  if (!windows_.empty()) search(1, 0, windows_.size(), span, max, out);
  return out;
}

void WindowIndex::search(std::size_t node, std::size_t from, std::size_t to, const Interval& span,
                         std::size_t max, std::vector<OverloadWindow>& out) const {
  if (out.size() >= max) return;
  if (latest_end_[node] < span.from || windows_[from].span.from > span.to) return;
  if (to - from == 1) {
    out.push_back(windows_[from]);
    return;
  }
  const std::size_t middle = from + (to - from) / 2;
  search(2 * node, from, middle, span, max, out);
  search(2 * node + 1, middle, to, span, max, out);
}

}  // namespace meldevakt::collector
