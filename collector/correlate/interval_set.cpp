#include "collector/correlate/interval_set.h"

#include <algorithm>

namespace meldevakt::collector {

bool IntervalSet::add(Interval span) {
  if (span.empty()) return false;
  auto at = stretches_.upper_bound(span.from);
  if (at != stretches_.begin()) {
    const auto before = std::prev(at);
    if (before->second >= span.to) return false;
    if (before->second >= span.from) at = before;
  }
  while (at != stretches_.end() && at->first <= span.to) {
    span.from = std::min(span.from, at->first);
    span.to = std::max(span.to, at->second);
    at = stretches_.erase(at);
  }
  stretches_.emplace_hint(at, span.from, span.to);
  return true;
}

bool IntervalSet::remove(Interval span) {
  bool any = false;
  for (const Interval& there : overlapping(span)) {
    any = true;
    stretches_.erase(there.from);
    if (there.from < span.from) stretches_.emplace(there.from, span.from);
    if (span.to < there.to) stretches_.emplace(span.to, there.to);
  }
  return any;
}

std::optional<Interval> IntervalSet::first_missing(const Interval& span) const {
  Interval missing = span;
  auto at = stretches_.upper_bound(span.from);
  if (at != stretches_.begin() && span.from < std::prev(at)->second) {
    missing.from = std::prev(at)->second;
  }
  if (missing.empty()) return std::nullopt;
  if (at != stretches_.end()) missing.to = std::min(missing.to, at->first);
  return missing;
}

std::vector<Interval> IntervalSet::missing(const Interval& span) const {
  std::vector<Interval> out;
  Interval rest = span;
  while (!rest.empty()) {
    const auto next = first_missing(rest);
    if (!next) break;
    out.push_back(*next);
    rest.from = next->to;
  }
  return out;
}

std::vector<Interval> IntervalSet::overlapping(const Interval& span) const {
  std::vector<Interval> out;
  if (span.empty()) return out;
  auto at = stretches_.upper_bound(span.from);
  if (at != stretches_.begin() && span.from < std::prev(at)->second) --at;
  for (; at != stretches_.end() && at->first < span.to; ++at)
    out.push_back({at->first, at->second});
  return out;
}

}  // namespace meldevakt::collector
