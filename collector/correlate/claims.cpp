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

// A loss soon after another goes on with it; what was voided until then counts anew.
void StatementClaims::add_loss(const std::string& agent, const Interval& made, Instant received,
                               bool until_unknown) {
  const auto [at, is_new] = lost_.try_emplace(agent);
  LostFacts& lost = at->second;
  const bool apart = is_new || lost.over || !lost.voided.empty();
  lost.from = apart ? made.from : std::min(lost.from, made.from);
  lost.until = is_new || lost.over ? made.to : std::max(lost.until, made.to);
  // Whatever its clock said: no row that counts is from after it was received.
  lost.rows_until = std::max({lost.rows_until, made.to, received});
  lost.over = false;
  lost.until_unknown = until_unknown;
  lost.voided.clear();
}

void StatementClaims::lose(const std::string& agent, Instant received) {
  const auto before = ends_.find(agent);
  const Instant from = before == ends_.end() ? received : before->second;
  add_loss(agent, {std::min(from, received), std::max(from, received)}, received, true);
}

void StatementClaims::void_claims(const Statement& statement, LostFacts& lost,
                                  std::vector<LedgerCoverage>& claims) {
  constexpr std::string_view kReason = "what was told of it cannot be opened";
  for (LedgerCoverage& claim : claims) {
    SourceCoverage& source = claim.source;
    unsigned& voided = lost.voided[source.id];
    if (voided == kClaimsVoided) continue;
    source.event_gaps.push_back({{lost.from - kToldBehind, lost.until}, std::string{kReason}});
    if (!source.complete) continue;
    source.event_gaps.push_back({*source.complete, std::string{kReason}});
    source.complete.reset();
    ++voided;
  }
  lost.last = std::pair{statement.epoch, statement.sequence};
}

void StatementClaims::take(const Statement& statement, Instant received, bool opened,
                           std::vector<ReceiptCoverage> lists, TenantInput& part) {
  const auto place = std::pair{statement.epoch, statement.sequence};
  auto at = lost_.find(statement.agent);
  if (at != lost_.end() && at->second.last && place <= *at->second.last) return;
  std::vector<LedgerCoverage> claims = claims_of(statement, received);
  const bool takes_time = statement.span.from < statement.span.to;
  if (at != lost_.end() && at->second.until_unknown && takes_time) {
    LostFacts& lost = at->second;
    lost.until = std::max(lost.from, statement.span.to);
    lost.from = std::min(lost.from, statement.span.from);
    lost.until_unknown = false;
  }
  ends_[statement.agent] = statement.span.to;
  if (!opened) add_loss(statement.agent, statement.span, received, !takes_time);
  at = lost_.find(statement.agent);
  if (at != lost_.end()) {
    LostFacts& lost = at->second;
    const bool later = statement.span.from > lost.until + kClaimedWithin;
    lost.over = lost.over || (later && !lost.until_unknown);
    if (!lost.over) void_claims(statement, lost, claims);
    for (ReceiptCoverage& list : lists) list.span.from = std::max(list.span.from, lost.rows_until);
  }
  for (LedgerCoverage& claim : claims) part.coverage.push_back(std::move(claim));
  for (ReceiptCoverage& list : lists) {
    if (!list.span.empty()) part.receipt_coverage.push_back(std::move(list));
  }
}

}  // namespace meldevakt::collector
