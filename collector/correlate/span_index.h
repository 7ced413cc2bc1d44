// Which of many stretches of time touch a given one, where most are short: buckets by length and
// start. Answers are a superset, each at most once: a stretch that was moved is still found where
// it was, and neighbours of the same bucket are found too. The caller looks at each.
//
//   index.add(life, span);   index.find({from, to}, [&](std::uint32_t life) { ... });
//
// Pure. Thread-safety: none. Cost: O(log buckets) to add; O(64 + buckets touched + found) to find.
// Memory: four to eight bytes an entry; what is added twice to one bucket is kept once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "common/base/time.h"

namespace meldevakt::collector {

class SpanIndex {
 public:
  // Stretches up to 2^shortest ms share buckets of that width.
  explicit SpanIndex(unsigned shortest) : shortest_{shortest} {}

  void add(std::uint32_t item, const Interval& span);
  // Both ends count.
  void find(const Interval& span, const std::function<void(std::uint32_t)>& use) const;

 private:
  struct Bucket {
    std::vector<std::uint32_t> items;  // the first `sorted` of them in order, each once
    std::size_t sorted = 0;
  };
  unsigned shortest_;
  // By the power of two that is at least as long; then by start in units of it.
  std::array<std::map<std::int64_t, Bucket>, 64> classes_;
};

}  // namespace meldevakt::collector
