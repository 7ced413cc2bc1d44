// The fleet's answer to one question: were messages lost between `from` and `until`?
//
// The columns are those of the Bufdir report's table 2, and their sum is exact by construction:
// every municipality is in one of three states.
//
//   affected     a message of the time was receipted and not stored (lost, missing, or recovered
//                after it was that or in doubt)
//   clean        none was, none is undecided, and whatever could have shown a commit was read
//                without a hole over the whole time. Of a product that logs failures only, silence
//                says nothing: there each message must have been counted (testimony.h), and the
//                portal's rows must be complete where it knows of none
//   unanswered   neither can be said; the reason says why
//
// A tenant counts as many municipalities as it serves: which of them a lost message was meant for
// only its text tells. Several tenants that serve one municipality count it once, by the worst of
// their states.
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

enum class Answer : std::uint8_t { kClean, kUnanswered, kAffected };  // the worst last
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

// What a message says to the question whether it is stored: one rule for the fleet's answer and the
// standing control.
enum class Balance : std::uint8_t {
  kStored,       // a commit is seen, or it was not seen to fail and a count of those stored agrees
  kLost,         // lost or missing
  kRecovered,    // by people
  kFallback,     // printed and posted
  kUnreceipted,  // stored
  kUndecided,    // nobody can say it
};
[[nodiscard]] Balance balance_of(const MessageVerdict& message);

// When a message was receipted; else when it was sent, or what else is known of it.
[[nodiscard]] std::optional<Instant> message_time(const MessageVerdict& message);

// Why nothing can be claimed over the whole time, in words; "" when all that could have shown a
// commit was read.
[[nodiscard]] std::string hole_in(const std::vector<LedgerCoverage>& claims, const Interval& asked);
[[nodiscard]] std::string hole_in(const CoverageMap& read, const Interval& asked);
// The same, and why that no message is known says nothing: commits are not logged, and no portal
// says that it had none.
[[nodiscard]] std::string why_not_known(const TenantInput& input, const Correlation& correlation,
                                        const Interval& asked);

struct FleetTotals {
  std::uint64_t uses = 0;  // municipalities: uses == affected + clean + unanswered
  std::uint64_t affected = 0;
  std::uint64_t clean = 0;
  std::uint64_t unanswered = 0;
  std::uint64_t lost = 0;  // messages
  auto operator<=>(const FleetTotals&) const = default;
};
struct FleetMember {
  std::vector<std::string> municipalities;  // numbers or names, that the tenant serves
  TenantAnswer answer;
};
[[nodiscard]] FleetTotals total(const std::vector<FleetMember>& members);

}  // namespace meldevakt::collector
