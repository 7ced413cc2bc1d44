#include "collector/incidents/running_clocks.h"

#include <algorithm>
#include <tuple>

namespace meldevakt::collector {
namespace {

void sort_by_due(std::vector<Clock>& clocks) {
  std::sort(clocks.begin(), clocks.end(), [](const Clock& a, const Clock& b) {
    return std::tie(a.due, a.kind) < std::tie(b.due, b.kind);
  });
}

}  // namespace

std::vector<Clock> clocks_of(const MessageVerdict& message, Instant now) {
  std::vector<Clock> out;
  const bool recovered = message.verdict == Verdict::kRecovered;
  const bool absent = needs_action(message.verdict) && message.verdict != Verdict::kFallbackStalled;
  if (!absent && !recovered) return out;
  if (absent && message.purge_deadline) {
    out.push_back(clock_at(ClockKind::kPurge, *message.purge_deadline, now));
  }
  if (const auto since = message.sent ? message.sent : message.receipted) {
    out.push_back(clock_at(ClockKind::kLookAt, *since + kLookAtWithin, now));
    out.push_back(clock_at(ClockKind::kFeedback, *since + kFeedbackWithin, now));
  }
  sort_by_due(out);
  return out;
}

std::vector<Clock> clocks_of(const Incident& incident, std::optional<Instant> aware, Instant now) {
  std::vector<Clock> out;
  if (aware) out.push_back(clock_at(ClockKind::kNotify, *aware + kNotifyWithin, now));
  if (incident.open && incident.earliest_deadline) {
    out.push_back(clock_at(ClockKind::kPurge, *incident.earliest_deadline, now));
  }
  sort_by_due(out);
  return out;
}

}  // namespace meldevakt::collector
