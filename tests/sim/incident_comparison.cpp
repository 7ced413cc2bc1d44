#include "tests/sim/incident_comparison.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

namespace meldevakt::sim {
namespace {

using collector::Category;
using collector::Incident;

constexpr Duration kPause = hours(6);

bool is_near(Instant a, Instant b) {
  return a - kTimesMayErr <= b && b <= a + kTimesMayErr;
}

std::string time_or_none(const std::optional<Instant>& time) {
  return time ? to_rfc3339(*time) : "none";
}

// Of each category how many, in words: "A 1, B 2, C 0".
class Counts {
 public:
  void add(Category category) { ++counts_.at(static_cast<std::size_t>(category)); }
  [[nodiscard]] std::string words() const {
    std::string out;
    for (const Category category : {Category::kA, Category::kB, Category::kC}) {
      out += (out.empty() ? "" : ", ") + std::string{to_string(category)} + " " +
             std::to_string(counts_.at(static_cast<std::size_t>(category)));
    }
    return out;
  }

 private:
  std::array<std::uint64_t, 4> counts_{};
};

class IncidentComparison {
 public:
  IncidentComparison(const ServicePlan& service, const std::vector<Called>& called,
                     const collector::View& view, std::vector<std::string>& wrong)
      : service_{service}, called_{called}, view_{view}, wrong_{wrong} {}

  void run() {
    for (const Incident& incident : view_.incidents) {
      if (!ids_.insert(incident.id).second) complain(incident, "has an id of its own", "a shared");
      for (const std::string& message : incident.messages) holders_[message].push_back(&incident);
    }
    compare_members();
    compare_groups();
    for (const Incident& incident : view_.incidents) compare_one(incident);
    for (const auto& [message, holders] : holders_) {
      if (known_.contains(message)) continue;
      complain(*holders.front(), "messages that exist", "message " + std::string{message});
    }
  }

 private:
  void complain(const Incident& incident, const std::string& wanted, const std::string& found) {
    wrong_.push_back(service_.name + ": incident " + incident.id + " of " +
                     to_rfc3339(incident.first) + " (" + incident.cause + "): expected " + wanted +
                     ", found " + found);
  }

  // Each where it belongs, once.
  void compare_members() {
    for (const Called& one : called_) {
      const std::string& id = one.message->id;
      known_.insert(id);
      const auto at = holders_.find(id);
      const std::size_t found = at == holders_.end() ? 0 : at->second.size();
      const std::size_t wanted = belongs_to_one(one.verdict) ? 1 : 0;
      if (found > 0) members_[at->second.front()].push_back(&one);
      if (found == wanted) continue;
      wrong_.push_back(service_.name + ": message " + id + " of " + to_rfc3339(one.message->sent) +
                       ", " + std::string{to_string(one.verdict)} + ": expected in " +
                       std::to_string(wanted) + " incidents, found in " + std::to_string(found) +
                       (found == 0 ? "" : ", the first: " + at->second.front()->id));
    }
  }

  // One after the other: which is one incident with which. A pause so near six hours that the
  // clocks decide may end one or not.
  void compare_groups() {
    struct Open {
      Instant last;
      const Incident* incident = nullptr;
    };
    std::map<std::string_view, Open> open;  // by cause, the newest
    std::set<const Incident*> used;
    for (const Called& one : called_) {
      const auto holders = holders_.find(one.message->id);
      if (!belongs_to_one(one.verdict) || holders == holders_.end()) continue;
      const Incident* const incident = holders->second.front();
      const auto [at, begins] = open.try_emplace(one.cause, Open{one.time, incident});
      Open& group = at->second;
      const Duration pause = one.time - group.last;
      const bool same = group.incident == incident;
      if (!begins && !same && pause < kPause - kTimesMayErr) {
        complain(*incident,
                 "message " + one.message->id + " together with incident " + group.incident->id +
                     ", " + std::to_string(pause.ms / 1000) + " seconds before",
                 "two incidents");
      }
      const bool apart = begins || !same || pause > kPause + kTimesMayErr;
      if (apart && !used.insert(incident).second) {
        complain(*incident,
                 "message " + one.message->id + " (" + std::string{one.cause} +
                     ") in another incident, " + std::to_string(pause.ms / 1000) +
                     " seconds after the last of its cause",
                 "one");
      }
      group = {one.time, incident};
    }
  }

  void compare_one(const Incident& incident) {
    const std::vector<const Called*>& members = members_[&incident];
    if (members.empty()) return complain(incident, "a message", "none that exists");
    if (incident.tenant != service_.tenant) {
      complain(incident, "tenant " + service_.tenant, incident.tenant);
    }
    const std::string_view cause = members.front()->cause;
    if (incident.cause != cause) complain(incident, "cause " + std::string{cause}, incident.cause);
    compare_span(incident, members);
    compare_state(incident, members);
    compare_counts(incident, members);
  }

  // Members are in the order of their times.
  void compare_span(const Incident& incident, const std::vector<const Called*>& members) {
    const Instant first = members.front()->time;
    const Instant last = members.back()->time;
    if (is_near(first, incident.first) && is_near(last, incident.last)) return;
    complain(incident, "from " + to_rfc3339(first) + " to " + to_rfc3339(last),
             "from " + to_rfc3339(incident.first) + " to " + to_rfc3339(incident.last));
  }

  void compare_state(const Incident& incident, const std::vector<const Called*>& members) {
    bool open = false;
    collector::Verdict worst = members.front()->verdict;
    std::optional<Instant> purge;
    for (const Called* const one : members) {
      if (badness(worst) < badness(one->verdict)) worst = one->verdict;
      if (!calls_for_action(one->verdict)) continue;
      open = true;
      if (view_.correlation.now < one->purged) {
        purge = std::min(purge.value_or(one->purged), one->purged);
      }
    }
    if (open != incident.open) {
      complain(incident, open ? "open" : "not open", incident.open ? "open" : "not open");
    }
    if (worst != incident.worst) {
      complain(incident, "at worst " + std::string{to_string(worst)},
               std::string{to_string(incident.worst)});
    }
    if (purge != incident.earliest_deadline) {
      complain(incident, "next purge " + time_or_none(purge),
               time_or_none(incident.earliest_deadline));
    }
  }

  void compare_counts(const Incident& incident, const std::vector<const Called*>& members) {
    Counts wanted;
    Counts found;
    for (const Called* const one : members) {
      wanted.add(one->category);
      found.add(one->said->category);
    }
    if (wanted.words() != found.words()) {
      complain(incident, "categories " + wanted.words(), found.words());
    }
    const std::string begins =
        std::to_string(members.size()) + (members.size() == 1 ? " message " : " messages ");
    if (incident.reason.rfind(begins, 0) != 0) {
      complain(incident, "the reason to begin with '" + begins + "'", incident.reason);
    }
  }

  const ServicePlan& service_;
  const std::vector<Called>& called_;
  const collector::View& view_;
  std::vector<std::string>& wrong_;
  std::set<std::string_view> ids_;
  std::set<std::string_view> known_;
  std::map<std::string_view, std::vector<const Incident*>> holders_;  // by message
  std::map<const Incident*, std::vector<const Called*>> members_;
};

}  // namespace

void compare_incidents(const ServicePlan& service, const std::vector<Called>& called,
                       const collector::View& view, std::vector<std::string>& wrong) {
  IncidentComparison{service, called, view, wrong}.run();
}

void compare_causes(const ServicePlan& service, const std::vector<Called>& called,
                    const std::vector<collector::CausePart>& found,
                    std::vector<std::string>& wrong) {
  std::map<std::string_view, collector::CausePart> wanted;
  for (const Called& one : called) {
    if (badness(one.verdict) < badness(collector::Verdict::kRecovered)) continue;
    const auto [at, added] = wanted.try_emplace(one.cause);
    collector::CausePart& part = at->second;
    if (added) part = {std::string{one.cause}, one.verdict, one.time, one.time, 0};
    part.last = one.time;  // they are sorted
    ++part.messages;
    if (badness(part.worst) < badness(one.verdict)) part.worst = one.verdict;
  }
  const std::string whose = service.name + ": what is kept of the cause ";
  for (const collector::CausePart& part : found) {
    const auto at = wanted.find(part.cause);
    const bool same = at != wanted.end() && at->second.messages == part.messages &&
                      at->second.worst == part.worst && is_near(at->second.first, part.first) &&
                      is_near(at->second.last, part.last);
    if (!same) {
      const std::string messages = at == wanted.end() ? "0" : std::to_string(at->second.messages);
      std::string& text = wrong.emplace_back(whose);
      text += part.cause + ": expected " + messages + " messages, found ";
      text += std::to_string(part.messages) + ", at worst ";
      text += to_string(part.worst);
      text += ", from " + to_rfc3339(part.first) + " to " + to_rfc3339(part.last);
    }
    if (at != wanted.end()) wanted.erase(at);
  }
  for (const auto& [cause, part] : wanted) {
    wrong.push_back(whose + std::string{cause} + ": expected " + std::to_string(part.messages) +
                    " messages, found none");
  }
}

}  // namespace meldevakt::sim
