#include "collector/deadlines/clocks.h"

#include <array>

namespace meldevakt::collector {
namespace {

constexpr std::array<EscalationRule, 4> kEscalation{{
    {ClockKind::kPurge, std::nullopt, days(3), days(1)},
    {ClockKind::kLookAt, days(3), days(1), hours(6)},
    {ClockKind::kFeedback, days(7), days(2), days(1)},
    {ClockKind::kNotify, std::nullopt, hours(24), hours(6)},
}};

}  // namespace

std::string_view to_string(ClockKind kind) {
  switch (kind) {
    case ClockKind::kPurge: return "purge";
    case ClockKind::kLookAt: return "look_at";
    case ClockKind::kFeedback: return "feedback";
    case ClockKind::kNotify: return "notify";
  }
  return "purge";
}

std::string_view to_string(ClockLevel level) {
  switch (level) {
    case ClockLevel::kRunning: return "running";
    case ClockLevel::kNotice: return "notice";
    case ClockLevel::kUrgent: return "urgent";
    case ClockLevel::kCritical: return "critical";
    case ClockLevel::kOver: return "over";
  }
  return "running";
}

const EscalationRule& escalation_of(ClockKind kind) {
  return kEscalation.at(static_cast<std::size_t>(kind));
}

RunningClock clock_at(ClockKind kind, Instant due, Instant now) {
  const EscalationRule& rule = escalation_of(kind);
  RunningClock out{kind, due, ClockLevel::kRunning, std::nullopt};
  if (due <= now) {
    out.level = ClockLevel::kOver;
  } else if (due - rule.critical <= now) {
    out.level = ClockLevel::kCritical;
    out.next = due;
  } else if (due - rule.urgent <= now) {
    out.level = ClockLevel::kUrgent;
    out.next = due - rule.critical;
  } else if (!rule.notice || due - *rule.notice <= now) {
    out.level = ClockLevel::kNotice;
    out.next = due - rule.urgent;
  } else {
    out.next = due - *rule.notice;
  }
  return out;
}

}  // namespace meldevakt::collector
