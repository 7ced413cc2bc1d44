// Every deadline that runs for a message or an incident, with how urgent it is: what notifications
// go by.
//
//   RunningClock clock = clock_at(ClockKind::kNotify, aware + kNotifyWithin, now);
//   if (clock.level >= ClockLevel::kUrgent) ...            // and look again at *clock.next
//
// Which clocks run for what: incidents/running_clocks.h.
//
//   purge          until the portal deletes the message (deadlines.h), while it is not in the case
//                  system
//   look_at        7 days: barnevernsloven § 2-1, the service goes through a message within a week
//   feedback       21 days: barnevernsloven § 13-3, the sender hears back within three weeks
//   notify         72 hours from when somebody became aware until the authority is notified:
//                  personal data act, GDPR article 33
//
// The two of the child-welfare act count from when the message was sent (its receipt, when nobody
// says): being lost stops no clock. What the act counts in days is days by the clocks in Norway
// (civil_days.h), what the regulation counts in hours is hours.
//
// Levels: `running`, `notice`, `urgent`, `critical`, `over`; from when is a table (kEscalation).
// Pure. Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/base/time.h"

namespace meldevakt::collector {

enum class ClockKind : std::uint8_t { kPurge, kLookAt, kFeedback, kNotify };
[[nodiscard]] std::string_view to_string(ClockKind kind);  // "purge", "look_at", ...

enum class ClockLevel : std::uint8_t { kRunning, kNotice, kUrgent, kCritical, kOver };
[[nodiscard]] std::string_view to_string(ClockLevel level);

struct RunningClock {
  ClockKind kind = ClockKind::kPurge;
  Instant due;
  ClockLevel level = ClockLevel::kRunning;
  std::optional<Instant> next;  // when the level rises; nullopt: it is over
  auto operator<=>(const RunningClock&) const = default;
};

inline constexpr int kLookAtDays = 7;
inline constexpr int kFeedbackDays = 21;
inline constexpr Duration kNotifyWithin = hours(72);

// How long before a clock is due its levels begin. A purge clock never just runs: a message that
// the portal has and the case system has not is worth a notice at once.
struct EscalationRule {
  ClockKind kind;
  std::optional<Duration> notice;  // nullopt: from the beginning
  Duration urgent;
  Duration critical;
};
[[nodiscard]] const EscalationRule& escalation_of(ClockKind kind);

[[nodiscard]] RunningClock clock_at(ClockKind kind, Instant due, Instant now);

}  // namespace meldevakt::collector
