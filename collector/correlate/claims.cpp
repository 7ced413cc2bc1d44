#include "collector/correlate/claims.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

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

void StatementClaims::lose(const std::string& agent, Instant received) {
  const auto [at, is_new] = lost_.try_emplace(agent);
  LostFacts& lost = at->second;
  if (is_new || !lost.voided.empty()) lost.from = received;
  lost.until = is_new ? received : std::max(lost.until, received);
  lost.voided.clear();
}

std::vector<LedgerCoverage> StatementClaims::take(const Statement& statement, Instant received,
                                                  bool opened) {
  constexpr std::string_view kReason = "what was told of it cannot be opened";
  const auto place = std::pair{statement.epoch, statement.sequence};
  const auto known = lost_.find(statement.agent);
  if (known != lost_.end() && known->second.last && place <= *known->second.last) return {};
  std::vector<LedgerCoverage> out = claims_of(statement, received);
  if (!opened) {
    lose(statement.agent, statement.span.to);
    LostFacts& lost = lost_[statement.agent];
    lost.from = std::min(lost.from, statement.span.from);
  }
  const auto at = lost_.find(statement.agent);
  if (at == lost_.end()) return out;
  LostFacts& lost = at->second;
  if (statement.span.from > lost.until + kClaimedWithin) {
    lost_.erase(at);
    return out;
  }
  lost.last = place;
  for (LedgerCoverage& claim : out) {
    SourceCoverage& source = claim.source;
    unsigned& voided = lost.voided[source.id];
    if (voided == kClaimsVoided) continue;
    source.event_gaps.push_back({{lost.from - kToldBehind, lost.until}, std::string{kReason}});
    if (!source.complete) continue;
    source.event_gaps.push_back({*source.complete, std::string{kReason}});
    source.complete.reset();
    ++voided;
  }
  return out;
}

}  // namespace meldevakt::collector
