#include "collector/correlate/claims.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace meldevakt::collector {

namespace {

Duration ceil_ms(std::int64_t us) {
  return milliseconds(us / 1000 + (us % 1000 == 0 ? 0 : 1));
}

}  // namespace

std::vector<LedgerCoverage> claims_of(const Statement& statement, Instant received) {
  const ClockState& clock = statement.clock;
  const Duration stated = ceil_ms(std::abs(clock.offset_us)) + ceil_ms(clock.max_error_us);
  // It tells of what was still to come when it was received: that much it is off for certain.
  const Duration ahead = statement.span.to - received;
  const Duration clock_error = std::max(stated, ahead);
  const bool wrong = ahead > kClockWrong;
  std::vector<LedgerCoverage> out;
  for (const SourceCoverage& source : statement.sources) {
    out.push_back({statement.agent, statement.sequence, statement.span, clock_error, source});
    std::optional<Interval>& complete = out.back().source.complete;
    if (!wrong || !complete) continue;
    complete->to = std::min(complete->to, received);
    if (complete->empty()) complete.reset();
  }
  return out;
}

std::vector<LedgerCoverage> claims_without_facts(const Statement& statement, Instant received) {
  constexpr std::string_view kReason = "what was told of it cannot be opened";
  std::vector<LedgerCoverage> out = claims_of(statement, received);
  for (LedgerCoverage& claim : out) {
    SourceCoverage& source = claim.source;
    if (source.complete) source.event_gaps.push_back({*source.complete, std::string{kReason}});
    source.complete.reset();
    source.event_gaps.push_back(
        {{statement.span.from - kToldBehind, statement.span.to}, std::string{kReason}});
  }
  return out;
}

}  // namespace meldevakt::collector
