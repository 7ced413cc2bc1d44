#include "collector/correlate/portal_map.h"

#include <algorithm>

namespace meldevakt::collector {

std::vector<Interval> PortalMap::add(const ReceiptCoverage& claim) {
  IntervalSet& complete = complete_[claim.portal];
  std::vector<Interval> added = complete.missing(claim.span);
  complete.add(claim.span);
  return added;
}

bool PortalMap::complete(const std::string* portal, Instant from, Instant to) const {
  const Interval both_ends{from, to + milliseconds(1)};
  return std::any_of(complete_.begin(), complete_.end(), [&](const auto& entry) {
    return (portal == nullptr || entry.first == *portal) && !entry.second.first_missing(both_ends);
  });
}

}  // namespace meldevakt::collector
