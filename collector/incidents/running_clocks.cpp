#include "collector/incidents/running_clocks.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "collector/deadlines/civil_days.h"

namespace meldevakt::collector {
namespace {

void sort_by_due(std::vector<RunningClock>& clocks) {
  std::sort(clocks.begin(), clocks.end(), [](const RunningClock& a, const RunningClock& b) {
    return std::tie(a.due, a.kind) < std::tie(b.due, b.kind);
  });
}

}  // namespace

std::vector<RunningClock> clocks_of(const MessageVerdict& message, Instant now) {
  std::vector<RunningClock> out;
  const bool recovered = message.verdict == Verdict::kRecovered;
  const bool absent = needs_action(message.verdict);
  if (!absent && !recovered) return out;
  if (absent && message.purge_deadline) {
    out.push_back(clock_at(ClockKind::kPurge, *message.purge_deadline, now));
  }
  auto since = message.sent ? message.sent : message.receipted;
  if (!since) since = message.first_seen;  // it came then at the latest
  if (since) {
    out.push_back(clock_at(ClockKind::kLookAt, add_civil_days(*since, kLookAtDays), now));
    out.push_back(clock_at(ClockKind::kFeedback, add_civil_days(*since, kFeedbackDays), now));
  }
  sort_by_due(out);
  return out;
}

std::vector<RunningClock> clocks_of(const Incident& incident, std::optional<Instant> to_notify,
                                    Instant now) {
  std::vector<RunningClock> out;
  if (to_notify) out.push_back(clock_at(ClockKind::kNotify, *to_notify + kNotifyWithin, now));
  if (incident.open && incident.earliest_deadline) {
    out.push_back(clock_at(ClockKind::kPurge, *incident.earliest_deadline, now));
  }
  sort_by_due(out);
  return out;
}

std::vector<RunningClock> clocks_of(const Incident& incident,
                                    const std::vector<const MessageVerdict*>& messages,
                                    std::optional<Instant> to_notify, Instant now) {
  std::vector<RunningClock> out = clocks_of(incident, to_notify, now);
  if (!incident.open) return out;
  std::map<ClockKind, RunningClock> soonest;
  for (const MessageVerdict* message : messages) {
    if (!needs_action(message->verdict)) continue;
    for (const RunningClock& clock : clocks_of(*message, now)) {
      if (clock.kind == ClockKind::kPurge) continue;  // the incident's own: not of what is purged
      const auto [at, added] = soonest.try_emplace(clock.kind, clock);
      if (!added && clock.due < at->second.due) at->second = clock;
    }
  }
  for (const auto& [kind, clock] : soonest) out.push_back(clock);
  sort_by_due(out);
  return out;
}

std::optional<ClockLevel> level_of(const std::vector<RunningClock>& clocks) {
  std::optional<ClockLevel> out;
  for (const RunningClock& clock : clocks) out = std::max(out.value_or(clock.level), clock.level);
  return out;
}

}  // namespace meldevakt::collector
