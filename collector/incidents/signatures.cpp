#include "collector/incidents/signatures.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "collector/correlate/words.h"
#include "common/base/bytes.h"
#include "common/ports/sha256.h"

namespace meldevakt::collector {
namespace {

constexpr std::size_t kIdDigits = 16;

// What they have in common is how little we see, not what is broken.
constexpr std::array<std::string_view, 11> kNoSignature{"",
                                                        "coverage_gap",
                                                        "no_coverage",
                                                        "unclear_signals",
                                                        "commit_not_logged",
                                                        "fetched_by_hand",
                                                        "unreceipted",
                                                        "posting_unknown",
                                                        "row_too_old",
                                                        "count_short",
                                                        "whose_unknown"};

using Key = std::pair<std::string, std::string>;  // cause, product

// One tenant's part in a signature.
struct Seen {
  const TenantStanding* tenant = nullptr;
  Instant first;
  Instant last;
  std::uint64_t messages = 0;
  Verdict worst = Verdict::kStoredAfterReceipt;
};

// In what a tenant saw a cause.
SeenIn seen_in(const TenantStanding& tenant, const std::string& cause) {
  const auto known = tenant.seen_in.find(cause);
  return known == tenant.seen_in.end() ? SeenIn{tenant.product, {tenant.version}} : known->second;
}

std::map<std::string, Seen> causes_in(const TenantStanding& tenant) {
  std::map<std::string, Seen> out;
  for (const Incident& incident : tenant.incidents) {
    for (const CausePart& part : parts_of(incident)) {
      if (!is_signature(part.cause)) continue;
      const auto [at, added] = out.try_emplace(part.cause);
      Seen& seen = at->second;
      if (added) seen = {&tenant, part.first, part.last, 0, part.worst};
      seen.first = std::min(seen.first, part.first);
      seen.last = std::max(seen.last, part.last);
      seen.messages += part.messages;
      if (severity(seen.worst) < severity(part.worst)) seen.worst = part.worst;
    }
  }
  return out;
}

std::map<Key, std::vector<Seen>> signatures_of(const std::vector<TenantStanding>& tenants) {
  std::map<Key, std::vector<Seen>> out;
  std::map<std::string, std::vector<Seen>> unknown;  // by cause: nobody says in which product
  std::map<std::string, std::set<std::string>> products;
  for (const TenantStanding& tenant : tenants) {
    for (const auto& [cause, seen] : causes_in(tenant)) {
      const std::string product = seen_in(tenant, cause).product;
      if (product.empty()) {
        unknown[cause].push_back(seen);
      } else {
        out[{cause, product}].push_back(seen);
        products[cause].insert(product);
      }
    }
  }
  for (const auto& [cause, seen] : unknown) {
    const auto known = products.find(cause);
    for (const std::string& product :
         known == products.end() ? std::set<std::string>{""} : known->second) {
      std::vector<Seen>& all = out[{cause, product}];
      all.insert(all.end(), seen.begin(), seen.end());
    }
  }
  for (auto& [key, seen] : out) {
    std::sort(seen.begin(), seen.end(), [](const Seen& a, const Seen& b) {
      return std::tie(a.first, a.tenant->tenant) < std::tie(b.first, b.tenant->tenant);
    });
  }
  return out;
}

std::vector<ExposedWhy> why_exposed(const TenantStanding& tenant, const std::string& product,
                                    const std::set<std::string>& versions) {
  std::vector<ExposedWhy> why;
  // A version that nobody has said, on either side, may be the same one; but only of a product that
  // is the same.
  const bool unsaid = tenant.version.empty() || versions.empty() || versions.count("") != 0;
  const bool same = !product.empty() && tenant.product == product &&
                    (versions.count(tenant.version) != 0 || unsaid);
  if (same && !tenant.patched) why.push_back(ExposedWhy::kSameVersion);
  if (!tenant.covered) why.push_back(ExposedWhy::kNoCoverage);
  if (!tenant.answered) why.push_back(ExposedWhy::kNotAnswered);
  return why;
}

// Where most speaks for a loss that nobody has seen: most reasons, then most messages.
bool sooner(const Exposed& a, const Exposed& b) {
  if (a.why.size() != b.why.size()) return a.why.size() > b.why.size();
  if (a.messages != b.messages) return a.messages > b.messages;
  return a.tenant < b.tenant;
}

std::vector<Exposed> exposed_of(const std::vector<TenantStanding>& tenants, const Key& key,
                                const std::vector<Seen>& seen) {
  std::set<std::string> hit;
  std::set<std::string> versions;
  for (const Seen& one : seen) {
    hit.insert(one.tenant->tenant);
    const SeenIn its = seen_in(*one.tenant, key.first);
    if (its.product == key.second) versions.insert(its.versions.begin(), its.versions.end());
  }
  std::vector<Exposed> out;
  for (const TenantStanding& tenant : tenants) {
    // Without a product, here or where it was seen, nobody can say that it is another one.
    const bool same_product =
        tenant.product == key.second || tenant.product.empty() || key.second.empty();
    if (hit.count(tenant.tenant) != 0 || !same_product) continue;
    Exposed exposed{tenant.tenant, why_exposed(tenant, key.second, versions), tenant.messages};
    if (!exposed.why.empty()) out.push_back(std::move(exposed));
  }
  std::sort(out.begin(), out.end(), sooner);
  return out;
}

std::string id_of(const Key& key) {
  std::string named;
  for (const std::string& part : {key.first, key.second}) {
    append_u64(named, part.size());
    named += part;
  }
  return sha256(named).hex().substr(0, kIdDigits);
}

std::string reason_of(const SystemicIncident& incident, std::size_t unsaid) {
  std::string out = std::to_string(incident.messages) + " messages in " +
                    std::to_string(incident.tenants.size()) + " municipalities with the same cause";
  if (!incident.product.empty()) out += " in " + incident.product;
  out += ": " + describe_cause(incident.cause) + "; first seen at " + to_rfc3339(incident.first) +
         ", in a second one at " + to_rfc3339(incident.raised) + ", last at " +
         to_rfc3339(incident.last);
  if (!incident.product.empty() && unsaid > 0) {
    out += "; of " + std::to_string(unsaid) + " of them nobody says which product they use";
  }
  if (!incident.exposed.empty()) {
    out += "; " + std::to_string(incident.exposed.size()) + " others may be hit";
  }
  return out + ".";
}

}  // namespace

std::string_view to_string(ExposedWhy why) {
  switch (why) {
    case ExposedWhy::kSameVersion: return "same_version";
    case ExposedWhy::kNoCoverage: return "no_coverage";
    case ExposedWhy::kNotAnswered: return "not_answered";
  }
  return "same_version";
}

std::vector<CausePart> parts_of(const Incident& incident) {
  if (!incident.causes.empty()) return incident.causes;
  return {
      {incident.cause, incident.worst, incident.first, incident.last, incident.messages.size()}};
}

bool is_signature(std::string_view cause) {
  return std::find(kNoSignature.begin(), kNoSignature.end(), cause) == kNoSignature.end();
}

std::vector<SystemicIncident> systemic_incidents(const std::vector<TenantStanding>& tenants) {
  std::vector<SystemicIncident> out;
  for (const auto& [key, seen] : signatures_of(tenants)) {
    if (seen.size() < 2) continue;
    SystemicIncident incident;
    incident.id = id_of(key);
    incident.cause = key.first;
    incident.product = key.second;
    incident.first = seen[0].first;
    incident.raised = seen[1].first;
    incident.last = seen[0].last;
    for (const Seen& one : seen) {
      incident.tenants.push_back(one.tenant->tenant);
      incident.messages += one.messages;
      incident.last = std::max(incident.last, one.last);
      if (severity(incident.worst) < severity(one.worst)) incident.worst = one.worst;
    }
    incident.exposed = exposed_of(tenants, key, seen);
    std::size_t unsaid = 0;
    for (const Seen& one : seen) {
      if (seen_in(*one.tenant, key.first).product.empty()) ++unsaid;
    }
    incident.reason = reason_of(incident, unsaid);
    out.push_back(std::move(incident));
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return std::tie(a.raised, a.id) < std::tie(b.raised, b.id);
  });
  return out;
}

}  // namespace meldevakt::collector
