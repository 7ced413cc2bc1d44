#include "tests/sim/systemic_comparison.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <utility>

namespace meldevakt::sim {
namespace {

using collector::Exposed;
using collector::ExposedWhy;
using collector::SystemicIncident;
using Json = nlohmann::json;

// What one cause did where, by when it first did.
struct Place {
  const ServicePlan* service = nullptr;
  const TrueSign* sign = nullptr;
};
using Places = std::vector<Place>;

std::map<std::string, Places> places_of(const CountryPlan& plan,
                                        const std::vector<SystemicPart>& parts) {
  std::map<std::string, Places> out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    for (const TrueSign& sign : parts[i].signs) {
      out[sign.cause].push_back({&plan.services[i], &sign});
    }
  }
  for (auto& [cause, places] : out) {
    std::sort(places.begin(), places.end(),
              [](const Place& a, const Place& b) { return a.sign->first < b.sign->first; });
  }
  return out;
}

bool is_near(Instant a, Instant b) {
  return a - kTimesMayErr <= b && b <= a + kTimesMayErr;
}

bool was_never_read(const ServicePlan& service) {
  return service.silent_from ||
         std::any_of(service.outages.begin(), service.outages.end(), [](const Outage& outage) {
           return outage.kind == Outage::Kind::kLogDestroyed;
         });
}

class AtTheEnd {
 public:
  AtTheEnd(const CountryPlan& plan, const std::vector<SystemicPart>& parts,
           const std::map<std::string, Places>& truth, std::vector<std::string>& wrong)
      : plan_{plan}, parts_{parts}, truth_{truth}, wrong_{wrong} {}

  void run() {
    std::vector<collector::TenantStanding> standings;
    for (const SystemicPart& part : parts_) standings.push_back(part.standing);
    const std::vector<SystemicIncident> told = systemic_incidents(standings);
    std::set<std::string> causes;
    for (const SystemicIncident& incident : told) {
      const auto at = truth_.find(incident.cause);
      const std::size_t wanted = at == truth_.end() ? 0 : at->second.size();
      if (!causes.insert(incident.cause).second) complain(incident, "told once", "twice");
      if (wanted < 2) {
        complain(incident, "nothing, it is in " + std::to_string(wanted) + " services",
                 std::to_string(incident.tenants.size()) + " tenants");
      } else {
        compare(incident, at->second);
      }
    }
    for (const auto& [cause, places] : truth_) {
      if (places.size() < 2 || causes.contains(cause)) continue;
      wrong_.push_back("systemic " + cause + ": expected in " + std::to_string(places.size()) +
                       " services, since " + to_rfc3339(places[1].sign->first) + ", found nothing");
    }
  }

 private:
  void complain(const SystemicIncident& incident, const std::string& wanted,
                const std::string& found) {
    wrong_.push_back("systemic " + incident.cause + " (" + incident.id + "): expected " + wanted +
                     ", found " + found);
  }

  void compare(const SystemicIncident& incident, const Places& places) {
    if (incident.product != "Fagsystem") complain(incident, "product Fagsystem", incident.product);
    compare_tenants(incident, places);
    compare_times(incident, places);
    std::uint64_t messages = 0;
    collector::Verdict worst = places.front().sign->worst;
    for (const Place& place : places) {
      messages += place.sign->messages;
      if (badness(worst) < badness(place.sign->worst)) worst = place.sign->worst;
    }
    if (incident.messages != messages) {
      complain(incident, std::to_string(messages) + " messages", std::to_string(incident.messages));
    }
    if (incident.worst != worst) {
      complain(incident, "at worst " + std::string{to_string(worst)},
               std::string{to_string(incident.worst)});
    }
    compare_exposed(incident);
  }

  // Exactly these, each once, by when.
  void compare_tenants(const SystemicIncident& incident, const Places& places) {
    std::map<std::string_view, Instant> wanted;
    for (const Place& place : places) wanted[place.service->tenant] = place.sign->first;
    std::set<std::string_view> found;
    Instant before{};
    for (const std::string& tenant : incident.tenants) {
      const auto at = wanted.find(tenant);
      if (at == wanted.end() || !found.insert(tenant).second) {
        complain(incident, "each tenant once where it is", tenant);
        continue;
      }
      if (at->second + kTimesMayErr + kTimesMayErr < before) {
        complain(incident, "tenants by when it was seen there", tenant + " too late");
      }
      before = std::max(before, at->second);
    }
    for (const auto& [tenant, first] : wanted) {
      if (found.contains(tenant)) continue;
      complain(incident, "tenant " + std::string{tenant} + " since " + to_rfc3339(first),
               "nothing of it");
    }
  }

  void compare_times(const SystemicIncident& incident, const Places& places) {
    Instant last = places.front().sign->last;
    for (const Place& place : places) last = std::max(last, place.sign->last);
    const std::vector<std::tuple<const char*, Instant, Instant>> times{
        {"first", places[0].sign->first, incident.first},
        {"raised", places[1].sign->first, incident.raised},
        {"last", last, incident.last}};
    for (const auto& [what, wanted, found] : times) {
      if (is_near(wanted, found)) continue;
      complain(incident, std::string{what} + " " + to_rfc3339(wanted), to_rfc3339(found));
    }
  }

  [[nodiscard]] std::vector<ExposedWhy> why_exposed(const ServicePlan& service,
                                                    const SystemicPart& part) const {
    std::vector<ExposedWhy> out;
    // One product and one version, everywhere.
    const bool corrected = service.patch_told && *service.patch_told <= plan_.asked_until;
    if (!corrected) out.push_back(ExposedWhy::kSameVersion);
    if (!was_never_read(service)) return out;
    out.push_back(ExposedWhy::kNoCoverage);
    const bool has_lost =
        std::any_of(part.signs.begin(), part.signs.end(),
                    [](const TrueSign& sign) { return calls_for_action(sign.worst); });
    if (!has_lost) out.push_back(ExposedWhy::kNotAnswered);
    return out;
  }

  static std::string words_of(const std::vector<ExposedWhy>& why, std::uint64_t messages) {
    std::string out;
    for (const ExposedWhy one : why) out += std::string{to_string(one)} + " ";
    return out + std::to_string(messages) + " messages";
  }

  void compare_exposed(const SystemicIncident& incident) {
    std::map<std::string_view, std::string> found;
    for (const Exposed& one : incident.exposed) found[one.tenant] = words_of(one.why, one.messages);
    std::size_t wanted = 0;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const ServicePlan& service = plan_.services[i];
      const auto& signs = parts_[i].signs;
      const bool shows = std::any_of(signs.begin(), signs.end(), [&](const TrueSign& sign) {
        return sign.cause == incident.cause;
      });
      const std::vector<ExposedWhy> why = why_exposed(service, parts_[i]);
      const bool exposed = !shows && !why.empty();
      const std::string words = exposed ? words_of(why, parts_[i].messages) : "not exposed";
      wanted += exposed ? 1U : 0U;
      const auto at = found.find(service.tenant);
      const std::string told = at == found.end() ? "not exposed" : at->second;
      if (told != words) complain(incident, service.name + ": " + words, told);
    }
    if (wanted != incident.exposed.size()) {
      complain(incident, std::to_string(wanted) + " exposed",
               std::to_string(incident.exposed.size()));
    }
    const auto sooner = [](const Exposed& a, const Exposed& b) {
      return std::pair{a.why.size(), a.messages} > std::pair{b.why.size(), b.messages};
    };
    if (!std::is_sorted(incident.exposed.begin(), incident.exposed.end(), sooner)) {
      complain(incident, "most reasons first, then most messages", "another order");
    }
  }

  const CountryPlan& plan_;
  const std::vector<SystemicPart>& parts_;
  const std::map<std::string, Places>& truth_;
  std::vector<std::string>& wrong_;
};

// What was told of a cause, each time it was another thing.
struct Told {
  Instant at;
  std::set<std::string> tenants;  // none: it is over
};
using ToldOf = std::map<std::string, std::vector<Told>>;  // by cause

// All that was seen anywhere, in the order of time, into the watch that the collector runs.
ToldOf watched(const std::vector<SystemicPart>& parts) {
  struct News {
    Instant at;
    std::size_t part = 0;
    const CausesSeen* seen = nullptr;
  };
  std::vector<News> all;
  std::vector<collector::SystemicWatch::Known> known;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    known.push_back(parts[i].known);
    for (const CausesSeen& seen : parts[i].causes_seen) all.push_back({seen.at, i, &seen});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const News& a, const News& b) { return a.at < b.at; });
  ToldOf out;
  std::map<std::string, std::string> causes;  // by the incident's id
  collector::SystemicWatch watch;
  for (const News& news : all) {
    watch.set(known[news.part].tenant.id, {news.seen->causes, true, true, 0});
    if (!watch.has_news()) continue;
    for (const collector::LiveFinding& finding : watch.findings(known, true, news.at)) {
      const Json incident = Json::parse(finding.json, nullptr, false)["incident"];
      if (incident.contains("cause")) causes[finding.message] = incident["cause"];
      Told& told = out[causes[finding.message]].emplace_back(Told{news.at, {}});
      if (incident.contains("tenants")) told.tenants = incident["tenants"];
    }
  }
  return out;
}

// When a service must have been told of: as soon as its own and another one's message must have
// been said.
void compare_told(const std::string& cause, const Places& places, const std::vector<Told>& told,
                  Instant now, std::vector<std::string>& wrong) {
  const auto complain = [&](const Place& place, const std::string& wanted,
                            const std::string& found) {
    wrong.push_back("systemic " + cause + ", " + place.service->name + ": expected " + wanted +
                    ", found " + found);
  };
  Instant second{};  // when it must have been told of anybody
  if (places.size() > 1) {
    std::vector<Instant> said_by;
    for (const Place& place : places) said_by.push_back(place.sign->said_by);
    std::sort(said_by.begin(), said_by.end());
    second = said_by[1];
  }
  for (const Place& place : places) {
    const std::string& tenant = place.service->tenant;
    const Instant by = std::max(place.sign->said_by, second);
    // What was told last when it was due, and whatever was told after that.
    auto from = std::upper_bound(told.begin(), told.end(), by,
                                 [](Instant time, const Told& one) { return time < one.at; });
    const bool due = places.size() > 1 && by <= now;
    if (due && (from == told.begin() || !std::prev(from)->tenants.contains(tenant))) {
      complain(place, "told by " + to_rfc3339(by), "nothing of it by then");
    }
    for (; due && from != told.end(); ++from) {
      if (from->tenants.contains(tenant)) continue;
      complain(place, "told since " + to_rfc3339(by), "no more at " + to_rfc3339(from->at));
      break;
    }
  }
}

// Nothing before it happened.
void compare_untold(const std::string& cause, const Places& places, const std::vector<Told>& told,
                    std::vector<std::string>& wrong) {
  std::map<std::string, Instant> first;
  for (const Place& place : places) first[place.service->tenant] = place.sign->first;
  for (const Told& one : told) {
    for (const std::string& tenant : one.tenants) {
      const auto at = first.find(tenant);
      if (at != first.end() && at->second <= one.at) continue;
      wrong.push_back("systemic " + cause + ", tenant " + tenant + ": expected " +
                      (at == first.end() ? "nothing" : "from " + to_rfc3339(at->second)) +
                      ", found told at " + to_rfc3339(one.at));
    }
  }
}

}  // namespace

void compare_systemic(const CountryPlan& plan, const std::vector<SystemicPart>& parts,
                      std::vector<std::string>& wrong) {
  const std::map<std::string, Places> truth = places_of(plan, parts);
  AtTheEnd{plan, parts, truth, wrong}.run();
  const ToldOf told = watched(parts);
  for (const auto& [cause, places] : truth) {
    const auto at = told.find(cause);
    compare_told(cause, places, at == told.end() ? std::vector<Told>{} : at->second, plan.span.to,
                 wrong);
  }
  for (const auto& [cause, all] : told) {
    const auto at = truth.find(cause);
    compare_untold(cause, at == truth.end() ? Places{} : at->second, all, wrong);
  }
}

}  // namespace meldevakt::sim
