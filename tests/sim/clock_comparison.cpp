#include "tests/sim/clock_comparison.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "tests/sim/oracle.h"

namespace meldevakt::sim {
namespace {

using collector::ClockKind;
using collector::ClockLevel;
using collector::Incident;
using collector::IncidentDecision;

constexpr int kDaysToLookAt = 7;
constexpr int kDaysToFeedback = 21;
constexpr Duration kToNotify = hours(72);

// Written anew: what is left when a deadline begins to be worth a notice, urgent, critical.
ClockLevel level_with(ClockKind kind, Duration left) {
  struct Steps {
    Duration notice;
    Duration urgent;
    Duration critical;
  };
  constexpr Duration kAlways = days(100'000);
  const auto steps = [kind, kAlways]() -> Steps {
    switch (kind) {
      case ClockKind::kPurge: return {kAlways, days(3), days(1)};
      case ClockKind::kLookAt: return {days(3), days(1), hours(6)};
      case ClockKind::kFeedback: return {days(7), days(2), days(1)};
      case ClockKind::kNotify: return {kAlways, hours(24), hours(6)};
    }
    return {};
  }();
  if (left <= Duration{}) return ClockLevel::kOver;
  if (left <= steps.critical) return ClockLevel::kCritical;
  if (left <= steps.urgent) return ClockLevel::kUrgent;
  return left <= steps.notice ? ClockLevel::kNotice : ClockLevel::kRunning;
}

// What must be done by when.
using Dues = std::map<ClockKind, Instant>;

std::string word(ClockKind kind, Instant due, ClockLevel level) {
  return std::string{to_string(kind)} + " " + to_rfc3339(due) + " " + std::string{to_string(level)};
}

std::vector<std::string> sorted(std::vector<std::string> words) {
  std::sort(words.begin(), words.end());
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& one : words) out += (out.empty() ? "" : ", ") + one;
  return out.empty() ? "none" : out;
}

std::string words_of(const Dues& dues, Instant now) {
  std::vector<std::string> out;
  for (const auto& [kind, due] : dues) out.push_back(word(kind, due, level_with(kind, due - now)));
  return joined(sorted(std::move(out)));
}

std::string words_of(const std::vector<collector::RunningClock>& clocks) {
  std::vector<std::string> out;
  for (const auto& clock : clocks) out.push_back(word(clock.kind, clock.due, clock.level));
  return joined(sorted(std::move(out)));
}

bool soonest_first(const std::vector<collector::RunningClock>& clocks) {
  return std::is_sorted(clocks.begin(), clocks.end(),
                        [](const auto& a, const auto& b) { return a.due < b.due; });
}

class ClockComparison {
 public:
  ClockComparison(const ServicePlan& service, const std::vector<Called>& called,
                  const collector::View& view, const TimeZone& zone,
                  std::vector<std::string>& wrong)
      : service_{service}, called_{called}, view_{view}, zone_{zone}, wrong_{wrong} {}

  void run() {
    const collector::Beside beside = beside_of(view_);
    for (const Called& one : called_) {
      by_name_[one.message->id] = &one;
      compare("message " + one.message->id + " of " + to_rfc3339(one.message->sent), dues_of(one),
              beside.of(*one.said).clocks);
    }
    for (const Incident& incident : view_.incidents) {
      compare("incident " + incident.id, dues_of(incident), beside.of(incident).clocks);
    }
    compare_awareness();
  }

 private:
  void compare(const std::string& whose, const Dues& dues,
               const std::vector<collector::RunningClock>& found) {
    const std::string wanted = words_of(dues, view_.correlation.now);
    const std::string told = words_of(found);
    if (wanted != told || !soonest_first(found)) {
      wrong_.push_back(service_.name + ": " + whose + ": expected the deadlines " + wanted +
                       ", found " + told + (soonest_first(found) ? "" : ", not in their order"));
    }
  }

  [[nodiscard]] Dues dues_of(const Called& one) const {
    const bool sent_again = one.verdict == collector::Verdict::kRecovered;
    if (!calls_for_action(one.verdict) && !sent_again) return {};
    // The portal tells whole seconds.
    const Instant sent{one.message->sent.ms / 1000 * 1000};
    Dues out{{ClockKind::kLookAt, days_later(sent, kDaysToLookAt, zone_)},
             {ClockKind::kFeedback, days_later(sent, kDaysToFeedback, zone_)}};
    if (!sent_again) out.emplace(ClockKind::kPurge, one.purged);
    return out;
  }

  // Of each kind the soonest; what is purged has nothing left to hurry for.
  [[nodiscard]] Dues dues_of(const Incident& incident) const {
    Dues out;
    for (const std::string& name : incident.messages) {
      const auto at = by_name_.find(name);
      if (at == by_name_.end() || !calls_for_action(at->second->verdict)) continue;
      for (const auto& [kind, due] : dues_of(*at->second)) {
        if (kind == ClockKind::kPurge && due <= view_.correlation.now) continue;
        const auto [known, added] = out.try_emplace(kind, due);
        if (!added) known->second = std::min(known->second, due);
      }
    }
    return out;
  }

  static IncidentDecision awareness(std::uint64_t number, const std::string& message,
                                    Instant aware) {
    IncidentDecision out;
    out.number = number;
    out.told = aware + days(1);
    out.person = "Kari Prøve";
    out.kind = collector::DecisionKind::kAware;
    out.messages = {message};
    out.aware = aware;
    return out;
  }

  // Nobody tells anything in the years that are played: here somebody does, of the same view.
  void compare_awareness() {
    std::vector<IncidentDecision> entries;
    std::map<std::string_view, Instant> aware;  // by message
    for (const Incident& incident : view_.incidents) {
      if (!incident.open) continue;
      const std::string& first = incident.messages.front();
      const std::string& last = incident.messages.back();
      const Instant since = incident.last + hours(static_cast<std::int64_t>(entries.size() + 1));
      entries.push_back(awareness(entries.size() + 1, last, since + minutes(90)));
      entries.push_back(awareness(entries.size() + 1, first, since));
      aware[first] = since;
    }
    if (entries.empty()) return;
    const auto decided = apply_decisions(view_.correlation, view_.incidents, entries);
    const collector::Beside beside{
        {view_.correlation, view_.relaxed, view_.overloads, view_.conflicts, entries}};
    for (const Incident& incident : decided) {
      const auto since = aware.find(incident.messages.front());
      if (since == aware.end()) continue;
      const collector::IncidentBeside found = beside.of(incident);
      Dues dues = dues_of(incident);
      dues[ClockKind::kNotify] = since->second + kToNotify;
      compare("incident " + incident.id + " with two who are aware of it", dues, found.clocks);
      if (found.aware == since->second) continue;
      wrong_.push_back(service_.name + ": incident " + incident.id + ": expected awareness since " +
                       to_rfc3339(since->second) + ", found " +
                       (found.aware ? to_rfc3339(*found.aware) : "none"));
    }
  }

  const ServicePlan& service_;
  const std::vector<Called>& called_;
  const collector::View& view_;
  const TimeZone& zone_;
  std::vector<std::string>& wrong_;
  std::map<std::string_view, const Called*> by_name_;
};

}  // namespace

void compare_clocks(const ServicePlan& service, const std::vector<Called>& called,
                    const collector::View& view, const TimeZone& zone,
                    std::vector<std::string>& wrong) {
  ClockComparison{service, called, view, zone, wrong}.run();
}

}  // namespace meldevakt::sim
