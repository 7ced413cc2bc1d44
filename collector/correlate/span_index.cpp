#include "collector/correlate/span_index.h"

#include <algorithm>

namespace meldevakt::collector {

void SpanIndex::add(std::uint32_t item, const Interval& span) {
  unsigned power = shortest_;
  while (power < 62 && (std::int64_t{1} << power) < span.to.ms - span.from.ms) ++power;
  Bucket& bucket = classes_[power][span.from.ms >> power];
  if (!bucket.items.empty() && bucket.items.back() == item) return;
  if (bucket.items.size() == bucket.items.capacity() && bucket.items.size() > bucket.sorted) {
    std::sort(bucket.items.begin(), bucket.items.end());
    bucket.items.erase(std::unique(bucket.items.begin(), bucket.items.end()), bucket.items.end());
    bucket.sorted = bucket.items.size();
  }
  if (bucket.items.size() == bucket.items.capacity()) {
    bucket.items.reserve(bucket.items.size() + bucket.items.size() / 2 + 4);
  }
  bucket.items.push_back(item);
}

void SpanIndex::find(const Interval& span, const std::function<void(std::uint32_t)>& use) const {
  std::vector<std::uint32_t> found;
  for (unsigned power = shortest_; power < classes_.size(); ++power) {
    const auto& buckets = classes_[power];
    if (buckets.empty()) continue;
    const auto last = buckets.upper_bound(span.to.ms >> power);
    for (auto at = buckets.lower_bound((span.from.ms >> power) - 1); at != last; ++at) {
      found.insert(found.end(), at->second.items.begin(), at->second.items.end());
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  for (const std::uint32_t item : found) use(item);
}

}  // namespace meldevakt::collector
