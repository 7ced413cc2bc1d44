#include "collector/correlate/portal_map.h"

#include <algorithm>

namespace meldevakt::collector {

std::optional<Instant> PortalMap::Portal::reach_of(Instant sent) const {
  auto at = lists.upper_bound(sent);
  if (at == lists.begin()) return std::nullopt;
  --at;
  return sent < at->second ? std::optional{at->second} : std::nullopt;
}

void PortalMap::Portal::add_list(const Interval& span) {
  auto at = lists.lower_bound(span.from);
  while (at != lists.end() && at->second <= span.to) at = lists.erase(at);
  lists[span.from] = span.to;
}

std::vector<Interval> PortalMap::add(const ReceiptCoverage& claim) {
  if (claim.span.empty()) return {};
  Portal& portal = portals_[claim.portal];
  const std::optional<Instant> reached = portal.reach_of(claim.span.from);
  if (reached && claim.span.to <= *reached) return {};
  portal.complete.add(claim.span);
  portal.add_list(claim.span);
  return {{reached.value_or(claim.span.from), claim.span.to}};
}

bool PortalMap::complete(const std::string* portal, Instant from, Instant to) const {
  const Interval both_ends{from, to + milliseconds(1)};
  return std::any_of(portals_.begin(), portals_.end(), [&](const auto& entry) {
    return (portal == nullptr || entry.first == *portal) &&
           !entry.second.complete.first_missing(both_ends);
  });
}

bool PortalMap::told_at(const std::string& portal, Instant sent, Instant at) const {
  const auto known = portals_.find(portal);
  if (known == portals_.end()) return false;
  const std::optional<Instant> reach = known->second.reach_of(sent);
  return reach && at <= *reach;
}

bool PortalMap::any_told_at(Instant sent, Instant at) const {
  return std::any_of(portals_.begin(), portals_.end(),
                     [&](const auto& entry) { return told_at(entry.first, sent, at); });
}

}  // namespace meldevakt::collector
