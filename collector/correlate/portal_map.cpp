#include "collector/correlate/portal_map.h"

#include <algorithm>

#include "common/summary/forms.h"

namespace meldevakt::collector {
namespace {

constexpr Interval kAllTime{{0}, kWireTimeMax};

}  // namespace

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

PortalMap::PortalMap(const TenantInput& input) {
  for_each_row(input, [this](const Receipt& row) { add_portal(row.portal); });
  for (const ReceiptCoverage& claim : input.receipt_coverage) static_cast<void>(add(claim));
  set_uses(input.portal_uses);
}

void PortalMap::set_uses(const std::vector<PortalUse>& uses) {
  uses_.clear();
  for (const PortalUse& use : uses) uses_[use.portal].push_back(use.span);
}

std::vector<Interval> PortalMap::used(std::string_view portal, const Interval& asked) const {
  const auto known = uses_.find(portal);
  if (known == uses_.end()) return {asked};
  std::vector<Interval> out;
  for (const Interval& use : known->second) {
    const Interval part{std::max(use.from, asked.from), std::min(use.to, asked.to)};
    if (!part.empty()) out.push_back(part);
  }
  return out;
}

bool PortalMap::add_portal(const std::string& portal) {
  return portals_.try_emplace(portal).second && portals_.size() > 1;
}

std::vector<Interval> PortalMap::add(const ReceiptCoverage& claim) {
  if (claim.span.empty()) return {};
  const bool unknown = add_portal(claim.portal);
  Portal& portal = portals_[claim.portal];
  const std::optional<Instant> reached = portal.reach_of(claim.span.from);
  if (reached && claim.span.to <= *reached) return {};
  portal.complete.add(claim.span);
  portal.add_list(claim.span);
  if (unknown) return {kAllTime};
  return {{reached.value_or(claim.span.from), claim.span.to}};
}

std::optional<std::string> PortalMap::untold(const Interval& asked) const {
  for (const auto& [name, spans] : uses_) {
    if (portals_.count(name) == 0 && !used(name, asked).empty()) return name;
  }
  return std::nullopt;
}

bool PortalMap::all_complete(Instant from, Instant to) const {
  const Interval both_ends{from, to + milliseconds(1)};
  if (untold(both_ends)) return false;
  bool any = false;
  for (const auto& [name, portal] : portals_) {
    for (const Interval& part : used(name, both_ends)) {
      any = true;
      if (portal.complete.first_missing(part)) return false;
    }
  }
  return any;
}

bool PortalMap::told_at(std::string_view portal, Instant sent, Instant at) const {
  const auto known = portals_.find(portal);
  if (known == portals_.end()) return false;
  const std::optional<Instant> reach = known->second.reach_of(sent);
  return reach && at <= *reach;
}

bool PortalMap::all_told_at(Instant sent, Instant at) const {
  if (untold({sent, sent + milliseconds(1)})) return false;
  bool any = false;
  for (const auto& [name, portal] : portals_) {
    const std::vector<Interval> use = used(name, {sent, std::max(at, sent + milliseconds(1))});
    if (use.empty() || use.front().from > sent) continue;  // what was sent then is not of it
    any = true;
    if (!told_at(name, sent, std::min(at, use.front().to))) return false;
  }
  return any;
}

std::optional<Instant> PortalMap::reach_of_all(Instant until) const {
  std::optional<Instant> out;
  if (untold({until - milliseconds(1), until})) return out;
  for (const auto& [name, portal] : portals_) {
    if (used(name, {until - milliseconds(1), until}).empty()) continue;
    if (portal.lists.empty()) return std::nullopt;
    const Instant reach = portal.lists.rbegin()->second;
    out = std::min(out.value_or(reach), reach);
  }
  return out;
}

}  // namespace meldevakt::collector
