// The fleet's answer to one question: were messages lost between `from` and `until`?
//
// The columns are those of the Bufdir report's table 2, and their sum is exact by construction:
// every municipality that used a portal in that time is in one of three states.
//
//   affected     a message of the time was receipted and not stored (lost, missing, or recovered
//                after it was that or in doubt)
//   clean        none was, none is undecided, and whatever could have shown a commit was read
//                without a hole over the whole time, and so was what tells of receipts: a log, or
//                the portal's rows. Of a product that logs failures only, silence says nothing:
//                there each message must have been counted (testimony.h), and the rows be complete
//   unanswered   neither can be said; the reason says why
//
// A tenant counts as many municipalities as it served, each by what was so while it did: which of
// them a lost message was meant for only its text tells. Several tenants that serve one
// municipality count it once, by the worst of their states. Who used no portal in that time, or
// served nobody, is not_using, and in no column.
//
// Pure. Thread-safety: pure functions. Source: DOMAIN.md section 8 (003:404-410).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/correlate/correlate.h"
#include "common/base/time.h"

namespace meldevakt::collector {

class CoverageMap;

enum class Answer : std::uint8_t { kNotUsing, kClean, kUnanswered, kAffected };  // the worst last
[[nodiscard]] std::string_view to_string(Answer answer);

struct TenantAnswer {
  Answer answer = Answer::kUnanswered;
  std::uint64_t lost = 0;       // messages
  std::uint64_t latent = 0;     // messages that were stored after their receipt
  std::uint64_t undecided = 0;  // messages of which nobody can say it
  std::string reason;           // one English sentence; "" when clean
  auto operator<=>(const TenantAnswer&) const = default;
};
// `asked`: event time. A tenant of which no source observes commits or failed saves is unanswered.
[[nodiscard]] TenantAnswer answer_of(const TenantInput& input, const Correlation& correlation,
                                     const Interval& asked);

// Of the answer, how many were lost; without asking what was read.
[[nodiscard]] std::uint64_t losses_in(const Correlation& correlation, const Interval& asked);

// What a message says to the question whether it is stored: one rule for the fleet's answer and the
// standing control.
enum class Balance : std::uint8_t {
  kStored,       // a commit is seen, or it was not seen to fail and a count of those stored agrees
  kLost,         // lost or missing
  kRecovered,    // stored since, or found
  kFallback,     // printed and posted
  kUnreceipted,  // stored
  kUndecided,    // nobody can say it
};
[[nodiscard]] Balance balance_of(const MessageVerdict& message);

// When a message was receipted; else when it was sent, or what else is known of it.
[[nodiscard]] std::optional<Instant> message_time(const MessageVerdict& message);
// Whether it is of the time that is asked about. Where its time is still to come (a wrong zone or
// clock) any other that is known of it and lies there says so; without one it may be of any time,
// and is asked.
[[nodiscard]] bool is_asked(const MessageVerdict& message, const Interval& asked, Instant now);
// The first that is lost, or was; nullopt: none.
[[nodiscard]] std::optional<Instant> first_loss(const Correlation& correlation);

// Why nothing can be claimed over the whole time, in words; "" when all that could have shown a
// commit was read.
[[nodiscard]] std::string hole_in(const TenantInput& input, const Interval& asked);
[[nodiscard]] std::string hole_in(const CoverageMap& read, const Interval& asked);
// The same, and why what was receipted is not known: no log that tells of receipts was read over
// the whole time, and no portal's rows are complete for it. Where commits are not logged only the
// rows count.
[[nodiscard]] std::string why_not_known(const TenantInput& input, const Interval& asked);

// Until when it can be known by `until` what was receipted: where only a portal's list tells, as
// far as the newest of each portal reaches, if that is not longer ago than kListOverdue.
inline constexpr Duration kListOverdue = hours(48);
[[nodiscard]] Instant receipts_known_until(const TenantInput& input, Instant until);

struct FleetTotals {
  std::uint64_t uses = 0;  // municipalities: uses == affected + clean + unanswered
  std::uint64_t affected = 0;
  std::uint64_t clean = 0;
  std::uint64_t unanswered = 0;
  std::uint64_t lost = 0;  // messages
  auto operator<=>(const FleetTotals&) const = default;
};
// Municipalities that a tenant served in the same time of what is asked about.
struct FleetMember {
  std::vector<std::string> municipalities;  // numbers or names
  TenantAnswer answer;                      // of `span`
  Interval span{};
};
[[nodiscard]] FleetTotals total(const std::vector<FleetMember>& members);

}  // namespace meldevakt::collector
