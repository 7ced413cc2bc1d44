#include "collector/app/systemic_watch.h"

#include <algorithm>
#include <set>
#include <utility>

namespace meldevakt::collector {
namespace {

// systemic_incidents() asks an incident for its causes only.
Incident incident_of(const std::string& tenant, const CausePart& part) {
  Incident out;
  out.tenant = tenant;
  out.causes = {part};
  return out;
}

bool same_causes(const std::vector<CausePart>& a, const std::vector<CausePart>& b) {
  return std::equal(
      a.begin(), a.end(), b.begin(), b.end(),
      [](const CausePart& one, const CausePart& other) { return one.cause == other.cause; });
}

}  // namespace

std::map<std::string, SeenIn> seen_in(const Registry& registry,
                                      const std::vector<CausePart>& parts) {
  const auto product_at = [&](Instant at) {
    return product_version(registry.value(EntryKind::kProduct, at));
  };
  std::map<std::string, Instant> last;
  for (const CausePart& part : parts) {
    Instant& its = last.try_emplace(part.cause, part.last).first->second;
    its = std::max(its, part.last);
  }
  std::map<std::string, SeenIn> out;
  for (const CausePart& part : parts) {
    SeenIn& its = out[part.cause];
    its.product = product_at(last.at(part.cause)).product;
    for (const Instant at : {part.first, part.last}) {
      const ProductVersion then = product_at(at);
      if (then.product == its.product) its.versions.insert(then.version);
    }
  }
  return out;
}

void SystemicWatch::set(const std::string& tenant, Sight sight) {
  const auto [at, added] = sights_.try_emplace(tenant);
  // That nothing is seen of one that was told of before a restart is news, too.
  news_ = news_ || added || !same_causes(at->second.causes, sight.causes);
  at->second = std::move(sight);
}

std::vector<TenantStanding> SystemicWatch::standings(const std::vector<Known>& known,
                                                     Instant now) const {
  std::vector<TenantStanding> out;
  const Sight nothing;
  for (const Known& one : known) {
    const auto at = sights_.find(one.tenant.id);
    const Sight& sight = at == sights_.end() ? nothing : at->second;
    TenantStanding standing;
    standing.tenant = one.tenant.id;
    const ProductVersion product = product_version(one.registry.value(EntryKind::kProduct, now));
    standing.product = product.product;
    standing.version = product.version;
    standing.seen_in = seen_in(one.registry, sight.causes);
    standing.patched = one.registry.value(EntryKind::kPatch, now) == "fixed";
    standing.covered = sight.covered;
    standing.answered = sight.answered;
    standing.messages = sight.messages;
    for (const CausePart& part : sight.causes) {
      standing.incidents.push_back(incident_of(one.tenant.id, part));
    }
    out.push_back(std::move(standing));
  }
  return out;
}

std::vector<LiveFinding> SystemicWatch::findings(const std::vector<Known>& known, bool all_seen,
                                                 Instant now) {
  news_ = false;
  std::map<std::string, std::string> names;
  for (const Known& one : known) names[one.tenant.id] = one.tenant.name;
  std::vector<LiveFinding> out;
  std::set<std::string> present;
  for (const SystemicIncident& incident : systemic_incidents(standings(known, now))) {
    present.insert(incident.id);
    std::optional<Told> told;
    if (const auto at = told_.find(incident.id); at != told_.end()) told = at->second;
    if (told && told->state == systemic_state(incident)) continue;
    // Who is not seen yet may be one of those that were told.
    if (told && !all_seen && incident.tenants.size() <= systemic_tenants(*told)) continue;
    out.push_back(systemic_finding(incident, names, told, now));
  }
  for (const auto& [id, told] : told_) {
    if (all_seen && systemic_tenants(told) > 0 && !present.contains(id)) {
      out.push_back(systemic_over_finding(id, told, now));
    }
  }
  for (const LiveFinding& finding : out) told_[finding.message] = finding.told;
  return out;
}

}  // namespace meldevakt::collector
