// A set of instants as disjoint half-open stretches, kept in order: touching ones are one, empty
// ones none. So equal sets look equal, in whatever order they were put together.
//
//   IntervalSet read;
//   read.add({from, to}); read.remove(gap);
//   auto missing = read.first_missing(span);
//
// Pure. Thread-safety: const functions. Cost: O(log n + stretches touched) each.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "common/base/time.h"

namespace meldevakt::collector {

class IntervalSet {
 public:
  bool add(Interval span);     // whether anything was new
  bool remove(Interval span);  // whether anything was there
  // The first stretch of `span` that is not in the set. nullopt: all of it is.
  [[nodiscard]] std::optional<Interval> first_missing(const Interval& span) const;
  // All of them, in order.
  [[nodiscard]] std::vector<Interval> missing(const Interval& span) const;
  // Those that overlap `span`, in order and whole.
  [[nodiscard]] std::vector<Interval> overlapping(const Interval& span) const;

  [[nodiscard]] bool empty() const { return stretches_.empty(); }
  [[nodiscard]] Instant front() const { return stretches_.begin()->first; }  // REQUIRES: !empty()
  [[nodiscard]] Instant back() const { return stretches_.rbegin()->second; }

 private:
  std::map<Instant, Instant> stretches_;  // from -> to
};

}  // namespace meldevakt::collector
