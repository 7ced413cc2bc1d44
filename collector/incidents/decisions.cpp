#include "collector/incidents/decisions.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "collector/correlate/testimony.h"
#include "collector/correlate/told_names.h"
#include "common/summary/forms.h"

namespace meldevakt::collector {
namespace {

constexpr std::array<std::string_view, 7> kKinds{"merge", "split",    "close",     "reopen",
                                                 "aware", "notified", "taken_back"};
constexpr std::array<std::string_view, 7> kDone{
    "merged", "split off", "closed", "reopened", "known of since", "notified to the authority", ""};

// The entries that count, in their order.
std::vector<const IncidentDecision*> standing(const std::vector<IncidentDecision>& entries) {
  std::map<std::uint64_t, const IncidentDecision*> by_number;
  for (const IncidentDecision& entry : entries) {
    const auto [at, added] = by_number.try_emplace(entry.number, &entry);
    if (!added && *at->second < entry) at->second = &entry;  // one number, two contents: a fault
  }
  std::set<std::uint64_t> gone;
  for (auto at = by_number.rbegin(); at != by_number.rend(); ++at) {
    const IncidentDecision& entry = *at->second;
    if (entry.kind != DecisionKind::kTakenBack || gone.count(entry.number) != 0) continue;
    if (entry.entry < entry.number) gone.insert(entry.entry);
  }
  std::vector<const IncidentDecision*> out;
  for (const auto& [number, entry] : by_number) {
    if (gone.count(number) == 0) out.push_back(entry);
  }
  return out;
}

// What an entry names, as it is called now, with what it was told to be. Of two that turned out to
// be one the worse counts: whoever closed them knew of that.
std::map<std::string, Verdict> as_called_now(const Correlation& all, const ToldNames& names,
                                             const IncidentDecision& entry) {
  std::map<std::string, Verdict> out;
  for (std::size_t i = 0; i < entry.messages.size(); ++i) {
    const auto meant = names.of(entry.messages[i]);
    const std::string& name = meant ? all.messages[*meant].message : entry.messages[i];
    const Verdict verdict = i < entry.verdicts.size() ? entry.verdicts[i] : Verdict::kPending;
    const auto [at, added] = out.try_emplace(name, verdict);
    if (!added && severity(at->second) < severity(verdict)) at->second = verdict;
  }
  return out;
}

// The same with the messages as they are called now. What nobody is called any more stays as it is.
std::vector<IncidentDecision> renamed(const Correlation& all,
                                      const std::vector<const IncidentDecision*>& entries) {
  std::vector<std::string> named;
  for (const IncidentDecision* entry : entries) {
    named.insert(named.end(), entry->messages.begin(), entry->messages.end());
  }
  const ToldNames names{all, named};
  std::vector<IncidentDecision> out;
  for (const IncidentDecision* entry : entries) {
    IncidentDecision& now = out.emplace_back(*entry);
    now.messages.clear();
    now.verdicts.clear();
    for (const auto& [message, verdict] : as_called_now(all, names, *entry)) {
      now.messages.push_back(message);
      if (!entry->verdicts.empty()) now.verdicts.push_back(verdict);
    }
  }
  return out;
}

// Messages that are one incident, and what made them so.
struct Group {
  Incident machine;  // as it was grouped; what it says stands while nobody changes its messages
  std::set<std::string> messages;
  bool changed = false;
  std::vector<const IncidentDecision*> decided;
  const IncidentDecision* closed = nullptr;
};

class Applying {
 public:
  explicit Applying(const std::vector<Incident>& grouped) {
    for (const Incident& incident : grouped) {
      const std::size_t index = groups_.size();
      Group group;
      group.machine = incident;
      group.messages.insert(incident.messages.begin(), incident.messages.end());
      for (const std::string& message : incident.messages) group_of_[message] = index;
      groups_.push_back(std::move(group));
    }
  }

  void apply(const IncidentDecision& entry) {
    const std::set<std::size_t> held = groups_holding(entry.messages);
    if (held.empty()) return;
    if (entry.kind == DecisionKind::kMerge) return merge(entry, held);
    if (entry.kind == DecisionKind::kSplit) return split(entry, held);
    for (const std::size_t index : held) {
      Group& group = groups_[index];
      group.decided.push_back(&entry);
      if (entry.kind == DecisionKind::kClose) group.closed = &entry;
      if (entry.kind == DecisionKind::kReopen) group.closed = nullptr;
    }
  }

  [[nodiscard]] const std::vector<Group>& groups() const { return groups_; }

 private:
  [[nodiscard]] std::set<std::size_t> groups_holding(
      const std::vector<std::string>& messages) const {
    std::set<std::size_t> out;
    for (const std::string& message : messages) {
      const auto at = group_of_.find(message);
      if (at != group_of_.end()) out.insert(at->second);
    }
    return out;
  }

  void merge(const IncidentDecision& entry, const std::set<std::size_t>& held) {
    Group& into = groups_[*held.begin()];
    for (const std::size_t index : held) {
      if (index == *held.begin()) continue;
      Group& from = groups_[index];
      for (const std::string& message : from.messages) group_of_[message] = *held.begin();
      into.messages.merge(from.messages);
      into.decided.insert(into.decided.end(), from.decided.begin(), from.decided.end());
      from = Group{};
      into.changed = true;
    }
    into.closed = nullptr;  // what was closed was another incident
    into.decided.push_back(&entry);
  }

  void split(const IncidentDecision& entry, const std::set<std::size_t>& held) {
    Group apart;
    apart.changed = true;
    for (const std::size_t index : held) {
      Group& from = groups_[index];
      // What was decided of the whole was decided of each of its messages.
      apart.decided.insert(apart.decided.end(), from.decided.begin(), from.decided.end());
      if (apart.closed == nullptr) apart.closed = from.closed;
      for (const std::string& message : entry.messages) {
        if (from.messages.erase(message) == 0) continue;
        apart.messages.insert(message);
        group_of_[message] = groups_.size();
      }
      from.changed = true;
      from.decided.push_back(&entry);
    }
    apart.decided.push_back(&entry);
    groups_.push_back(std::move(apart));
  }

  std::vector<Group> groups_;
  std::map<std::string, std::size_t> group_of_;
};

std::string words_of(const IncidentDecision& entry) {
  std::string out{kDone[static_cast<std::size_t>(entry.kind)]};
  for (const auto& time : {entry.aware, entry.notified}) {
    if (time) out += " " + to_rfc3339(*time);
  }
  if (!entry.reference.empty()) out += ", reference " + entry.reference;
  out += ", says " + entry.person + " at " + to_rfc3339(entry.told);
  if (!entry.note.empty()) out += " (" + entry.note + ")";
  return out;
}

std::string in_words(Verdict verdict) {
  std::string out{to_string(verdict)};
  std::replace(out.begin(), out.end(), '_', ' ');
  return out;
}

// Whether this one was dealt with when it was closed, and is no worse since; else why not.
std::optional<std::string> not_dealt_with(const IncidentDecision& closed,
                                          const MessageVerdict& message) {
  if (!needs_action(message.verdict)) return std::nullopt;
  const auto& names = closed.messages;
  const auto at = std::lower_bound(names.begin(), names.end(), message.message);
  if (at == names.end() || *at != message.message) {
    return message.message + " was not among what was closed";
  }
  const std::string now = message.message + " is " + in_words(message.verdict);
  if (closed.verdicts.empty()) {
    if (severity(message.verdict) < severity(Verdict::kInDoubt)) return std::nullopt;
    return now + ", and it is not said that it was that when it was closed";
  }
  const Verdict then = closed.verdicts[static_cast<std::size_t>(at - names.begin())];
  if (severity(message.verdict) <= severity(then)) return std::nullopt;
  return now + " now, and was " + in_words(then) + " when it was closed";
}

// "" while everything that still needs action was dealt with; else why it is open again.
std::string why_open_again(const IncidentDecision& closed,
                           const std::vector<const MessageVerdict*>& messages) {
  std::string first;
  std::size_t others = 0;
  for (const MessageVerdict* message : messages) {
    const auto why = not_dealt_with(closed, *message);
    if (!why) continue;
    if (first.empty()) {
      first = *why;
    } else {
      ++others;
    }
  }
  return first + (others == 0 ? "" : " (and " + std::to_string(others) + " more)");
}

// Those of the messages an awareness was told of that are part of it still; all, where none is.
std::vector<std::string> still_in(const Group& group, const IncidentDecision& aware) {
  std::vector<std::string> out;
  std::set_intersection(aware.messages.begin(), aware.messages.end(), group.messages.begin(),
                        group.messages.end(), std::back_inserter(out));
  if (out.empty()) out.assign(group.messages.begin(), group.messages.end());
  return out;
}

// Later entries first: what was notified before somebody became aware ends nothing of it.
void tell_notification(const Group& group, Incident& out) {
  out.notified.reset();
  out.to_notify.reset();
  std::vector<const IncidentDecision*> entries = group.decided;
  std::sort(entries.begin(), entries.end(),
            [](const auto* a, const auto* b) { return a->number > b->number; });
  std::set<std::string> notified;
  for (const IncidentDecision* const at : entries) {
    const IncidentDecision& entry = *at;
    if (entry.kind == DecisionKind::kNotified) {
      notified.insert(entry.messages.begin(), entry.messages.end());
      out.notified = std::min(out.notified.value_or(*entry.notified), *entry.notified);
    }
    if (entry.kind != DecisionKind::kAware) continue;
    const std::vector<std::string> its = still_in(group, entry);
    const bool ended = std::includes(notified.begin(), notified.end(), its.begin(), its.end());
    if (!ended) out.to_notify = std::min(out.to_notify.value_or(*entry.aware), *entry.aware);
  }
}

using ByName = std::unordered_map<std::string_view, const MessageVerdict*>;

std::optional<Incident> incident_of_group(const Correlation& all, const ByName& by_name,
                                          const Group& group) {
  std::vector<const MessageVerdict*> messages;
  for (const std::string& name : group.messages) {
    const auto at = by_name.find(name);
    if (at != by_name.end()) messages.push_back(at->second);
  }
  if (messages.empty()) return std::nullopt;
  Incident out = group.changed ? incident_of(all, messages) : group.machine;
  std::set<std::uint64_t> numbers;
  for (const IncidentDecision* entry : group.decided) {
    if (!numbers.insert(entry->number).second) continue;
    if (out.reason.back() == '.') out.reason.pop_back();
    out.reason += "; " + words_of(*entry) + ".";
  }
  out.decided.assign(numbers.begin(), numbers.end());
  tell_notification(group, out);
  if (group.closed == nullptr) return out;
  const std::string again = why_open_again(*group.closed, messages);
  out.closed_by_person = again.empty();
  if (again.empty()) {
    out.open = false;
  } else {
    out.reason.back() = ';';
    out.reason += " open again: " + again + ".";
  }
  return out;
}

}  // namespace

std::string_view to_string(DecisionKind kind) {
  return kKinds.at(static_cast<std::size_t>(kind));
}

std::optional<DecisionKind> decision_kind_from_string(std::string_view text) {
  const auto at = std::find(kKinds.begin(), kKinds.end(), text);
  if (at == kKinds.end()) return std::nullopt;
  return static_cast<DecisionKind>(at - kKinds.begin());
}

namespace {

Status check_notification(const IncidentDecision& decision) {
  const bool notified = decision.kind == DecisionKind::kNotified;
  if (notified != decision.notified.has_value()) {
    return Error{Errc::kInvalid, "a notification, and nothing else, has the time of it"};
  }
  if (notified && decision.told < *decision.notified) {
    return Error{Errc::kInvalid, "nobody notifies in the future"};
  }
  if (!decision.reference.empty() && (!notified || !is_name(decision.reference))) {
    return Error{Errc::kInvalid, "a notification may have a reference, of at most 64 bytes"};
  }
  return {};
}

}  // namespace

Status check_decision(const IncidentDecision& decision) {
  if (!is_name(decision.person)) return Error{Errc::kInvalid, "who decides? a name is needed"};
  if (decision.note.size() > kNoteBytesMax) {
    return Error{Errc::kInvalid, "a note has at most " + std::to_string(kNoteBytesMax) + " bytes"};
  }
  const bool taken_back = decision.kind == DecisionKind::kTakenBack;
  if (decision.messages.empty() != taken_back) {
    return Error{Errc::kInvalid, "a decision names the messages that it is about"};
  }
  if (decision.messages.size() > kDecisionMessagesMax) {
    return Error{Errc::kLimit,
                 "a decision names at most " + std::to_string(kDecisionMessagesMax) + " messages"};
  }
  if (!std::is_sorted(decision.messages.begin(), decision.messages.end())) {
    return Error{Errc::kInvalid, "the messages of a decision are sorted"};
  }
  if (!decision.verdicts.empty() && (decision.kind != DecisionKind::kClose ||
                                     decision.verdicts.size() != decision.messages.size())) {
    return Error{Errc::kInvalid, "who closes an incident says of each message what it is, or none"};
  }
  if ((decision.kind == DecisionKind::kAware) != decision.aware.has_value()) {
    return Error{Errc::kInvalid, "awareness, and nothing else, has the time of it"};
  }
  if (decision.aware && decision.told < *decision.aware) {
    return Error{Errc::kInvalid, "nobody becomes aware in the future"};
  }
  return check_notification(decision);
}

std::vector<Incident> apply_decisions(const Correlation& all, const std::vector<Incident>& grouped,
                                      const std::vector<IncidentDecision>& entries) {
  const std::vector<IncidentDecision> decided = renamed(all, standing(entries));
  Applying applying{grouped};
  for (const IncidentDecision& entry : decided) applying.apply(entry);
  ByName by_name;
  for (const MessageVerdict& message : all.messages) by_name.emplace(message.message, &message);
  std::vector<Incident> out;
  for (const Group& group : applying.groups()) {
    if (auto incident = incident_of_group(all, by_name, group)) out.push_back(std::move(*incident));
  }
  std::sort(out.begin(), out.end(), [](const Incident& a, const Incident& b) {
    return std::tie(a.first, a.cause, a.id) < std::tie(b.first, b.cause, b.id);
  });
  return out;
}

std::optional<Instant> aware_of(const Incident& incident,
                                const std::vector<IncidentDecision>& entries) {
  // Numbers that an incident names count: which are taken back needs no looking up.
  std::vector<IncidentDecision> its;
  std::copy_if(
      entries.begin(), entries.end(), std::back_inserter(its), [&](const IncidentDecision& entry) {
        return entry.aware &&
               std::binary_search(incident.decided.begin(), incident.decided.end(), entry.number);
      });
  std::optional<Instant> out;
  for (const IncidentDecision* entry : standing(its)) {
    if (!out || *entry->aware < *out) out = entry->aware;
  }
  return out;
}

}  // namespace meldevakt::collector
