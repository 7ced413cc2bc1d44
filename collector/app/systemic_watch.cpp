#include "collector/app/systemic_watch.h"

#include <algorithm>
#include <set>
#include <utility>

namespace meldevakt::collector {
namespace {

// systemic_incidents() counts messages of incidents; how many is all that it asks of them.
Incident incident_of(const std::string& tenant, const CausePart& part) {
  Incident out;
  out.tenant = tenant;
  out.cause = part.cause;
  out.worst = part.worst;
  out.first = part.first;
  out.last = part.last;
  out.messages.resize(part.messages);
  return out;
}

bool same_causes(const std::vector<CausePart>& a, const std::vector<CausePart>& b) {
  return std::equal(
      a.begin(), a.end(), b.begin(), b.end(),
      [](const CausePart& one, const CausePart& other) { return one.cause == other.cause; });
}

}  // namespace

void SystemicWatch::set(const std::string& tenant, Sight sight) {
  Sight& known = sights_[tenant];
  news_ = news_ || !same_causes(known.causes, sight.causes);
  known = std::move(sight);
}

std::vector<TenantStanding> SystemicWatch::standings(const std::vector<Known>& known,
                                                     Instant now) const {
  std::vector<TenantStanding> out;
  for (const Known& one : known) {
    TenantStanding standing;
    standing.tenant = one.tenant.id;
    const ProductVersion product = product_version(one.registry.value(EntryKind::kProduct, now));
    standing.product = product.product;
    standing.version = product.version;
    standing.patched = one.registry.value(EntryKind::kPatch, now) == "fixed";
    if (const auto at = sights_.find(one.tenant.id); at != sights_.end()) {
      standing.covered = at->second.covered;
      standing.answered = at->second.answered;
      standing.messages = at->second.messages;
      for (const CausePart& part : at->second.causes) {
        standing.incidents.push_back(incident_of(one.tenant.id, part));
      }
    }
    out.push_back(std::move(standing));
  }
  return out;
}

std::vector<LiveFinding> SystemicWatch::findings(const std::vector<Known>& known, Instant now) {
  news_ = false;
  std::map<std::string, std::string> names;
  for (const Known& one : known) names[one.tenant.id] = one.tenant.name;
  std::vector<LiveFinding> out;
  std::set<std::string> present;
  for (const SystemicIncident& incident : systemic_incidents(standings(known, now))) {
    present.insert(incident.id);
    const auto told = told_.find(incident.id);
    if (told != told_.end() && systemic_tenants(told->second) >= incident.tenants.size()) continue;
    out.push_back(systemic_finding(
        incident, names, told == told_.end() ? std::nullopt : std::optional<Told>{told->second},
        now));
  }
  for (const auto& [id, told] : told_) {
    if (told.needs_action && !present.contains(id)) {
      out.push_back(systemic_over_finding(id, told, now));
    }
  }
  for (const LiveFinding& finding : out) told_[finding.message] = finding.told;
  return out;
}

}  // namespace meldevakt::collector
