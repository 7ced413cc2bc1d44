#include "collector/correlate/decide.h"

#include <algorithm>

#include "collector/correlate/words.h"

namespace meldevakt::collector {
namespace {

struct Context {
  const Signs& signs;
  ReferenceTypes names;
  bool has_portal_id;
  const PortalMap& portals;
  const CoverageMap& coverage;
  const Policy& policy;
  Instant now;
};

Need need_of(const Context& c, const Interval& span, std::optional<Instant> clip_until = {}) {
  return {span, clip_until, c.names, c.signs.clocks};
}

// A list made at `at` or later, of every portal that has a row of it.
bool rows_told_at(const Context& c, Instant sent, Instant at) {
  const auto& portals = c.signs.portals;
  return !portals.empty() &&
         std::all_of(portals.begin(), portals.end(),
                     [&](std::string_view portal) { return c.portals.told_at(portal, sent, at); });
}

// --- committed

// The portal whose rows are complete for the time in which it was sent has no receipt for it.
std::optional<Reason> why_unreceipted(const Context& c) {
  const Signs& s = c.signs;
  if (s.receipted || s.printed || s.rejected != nullptr || !c.has_portal_id) return std::nullopt;
  const Instant sent = s.sent.value_or(*s.first_seen);
  if (c.now < sent + c.policy.confirm_within) return std::nullopt;
  // Without a row nobody knows when it was sent: at most this long before it was first seen.
  const Instant from = s.sent ? sent : sent - c.policy.look_before;
  if (s.row == nullptr) {
    const bool complete = c.portals.all_complete(from, sent);
    return complete ? std::optional{Reason::kUnknownToPortal} : std::nullopt;
  }
  // An older row may have been confirmed since.
  const bool known = rows_told_at(c, sent, sent + c.policy.confirm_within);
  return known ? std::optional{Reason::kUnconfirmedByPortal} : std::nullopt;
}

Decision decide_committed(const Context& c) {
  if (c.signs.receipt_came_first) return {Verdict::kStoredAfterReceipt, Reason::kReceiptFirst};
  if (c.signs.receipted) return {Verdict::kStored, Reason::kCommitted};
  if (const auto reason = why_unreceipted(c)) return {Verdict::kUnreceipted, *reason};
  return {Verdict::kStored, Reason::kCommittedNoReceipt};
}

// --- neither commit nor receipt

// A receipt that may be its: if it is, then what a receipted message without a commit needs is not
// there; so it is not left waiting for a day.
Decision decide_unclear_receipt(const Context& c) {
  const Step* receipt = c.signs.unclear_receipt;
  if (c.now < receipt->what->time + c.policy.grace) {
    return {Verdict::kPending, Reason::kReceiptMayBeIts, receipt};
  }
  return {Verdict::kUnverifiable, Reason::kUnclearReceipt, receipt};
}

Decision decide_time_ran_out(const Context& c, Instant since) {
  const Need need = need_of(c, {since, since + c.policy.confirm_within});
  if (rows_told_at(c, since, need.span.to)) {
    return {Verdict::kUndelivered, Reason::kNeverConfirmed, nullptr, std::nullopt, need.span};
  }
  const Reason unknown = c.signs.row == nullptr ? Reason::kReceiptUnknown : Reason::kRowTooOld;
  if (!c.coverage.observed(Signal::kMessageAcknowledged, c.names)) {
    return {Verdict::kUnverifiable, unknown, nullptr, std::nullopt, need.span};
  }
  auto hole = c.coverage.first_hole(Signal::kMessageAcknowledged, need);
  if (hole) return {Verdict::kUnverifiable, unknown, nullptr, std::move(hole), need.span};
  return {Verdict::kUndelivered, Reason::kNeverAcknowledged, nullptr, std::nullopt, need.span};
}

// Its time to be posted ran out at `by`, and no row says that it was.
Decision decide_not_posted(const Context& c, Instant since, Instant by) {
  const Signs& s = c.signs;
  const Interval read{since, by};
  if (s.row == nullptr) {
    // When it was sent nobody knows: at most this long before it was first seen.
    const bool unknown =
        c.has_portal_id && c.portals.all_told_at(*s.first_seen - c.policy.look_before, by);
    if (!unknown) return {Verdict::kUnverifiable, Reason::kPostingUnknown, nullptr, {}, read};
    return {Verdict::kFallbackStalled, Reason::kUnknownToPrint, nullptr, {}, read};
  }
  if (!rows_told_at(c, s.sent.value_or(since), by)) {
    return {Verdict::kUnverifiable, Reason::kPostingUnknown, nullptr, {}, read};
  }
  return {Verdict::kFallbackStalled, Reason::kNeverPosted, nullptr, {}, read};
}

// The portal prints it and posts it: watched until it says that it has.
Decision decide_fallback(const Context& c) {
  if (c.signs.posted) return {Verdict::kFallback, Reason::kPosted};
  const bool refused = c.signs.rejected != nullptr;
  const auto since = to_be_posted_from(c.signs);
  if (!since) return {Verdict::kUnverifiable, Reason::kPostingUnknown};
  const Instant by = *since + c.policy.post_within;
  if (by <= c.now) return decide_not_posted(c, *since, by);
  const Reason reason = refused ? Reason::kRejected : Reason::kPrinted;
  return {Verdict::kFallback, reason, nullptr, std::nullopt, Interval{*since, by}};
}

Decision decide_unreceipted(const Context& c) {
  if (c.signs.rejected != nullptr || c.signs.printed) return decide_fallback(c);
  if (c.signs.unclear_receipt != nullptr) return decide_unclear_receipt(c);
  const auto since = c.signs.sent ? c.signs.sent : c.signs.first_seen;
  if (!since || c.now < *since + c.policy.confirm_within) {
    return {Verdict::kPending, Reason::kNotReceiptedYet};
  }
  return decide_time_ran_out(c, *since);
}

// --- receipted, no commit

// Up to here a commit could still come and be logged: grace after the receipt, or after the last
// attempt where that is later.
Instant last_chance(const Context& c) {
  Instant last = *c.signs.receipted_until;
  if (c.signs.receipted_in_zones) last = std::max(last, *c.signs.receipted_in_zones);
  if (c.signs.tried_until) last = std::max(last, *c.signs.tried_until);
  return last + c.policy.grace;
}

// A log that begins later than `look_before` before it is good enough as long as it begins so long
// before the receipt: a sound case system commits before it receipts.
std::optional<Instant> clip_of(const Context& c) {
  return *c.signs.receipted_from - std::min(c.policy.look_before, c.policy.grace);
}

// Where its life must have been read from: from its own message.received; else long enough before
// the receipt, or from where the log begins.
Need need_of_silent(const Context& c) {
  const Instant receipt = *c.signs.receipted_from;
  const Instant to = last_chance(c);
  if (c.signs.received) return need_of(c, {std::min(receipt, *c.signs.received), to});
  return need_of(c, {receipt - c.policy.look_before, to}, clip_of(c));
}

// Its own failure is seen. A commit could hide after it; or before it, when it was tried before: it
// was received earlier, or the database already held its row.
Need need_of_failed(const Context& c) {
  Need need = need_of(c, {*c.signs.failed_from, last_chance(c)});
  if (c.signs.received) {
    need.span.from = std::min(need.span.from, *c.signs.received);
  } else if (says_row_exists(c.signs.first_failure->what->code)) {
    need.span.from = std::min(need.span.from, *c.signs.receipted_from - c.policy.look_before);
    need.clip_until = std::min(*clip_of(c), *c.signs.failed_from);
  }
  return need;
}

Decision decide_failed(const Context& c, Signal decisive) {
  const Need need = need_of_failed(c);
  if (auto hole = c.coverage.first_hole(decisive, need)) {
    return {Verdict::kUnverifiable, Reason::kHole, nullptr, std::move(hole)};
  }
  if (c.signs.last_unknown != nullptr) {
    return {Verdict::kInDoubt, Reason::kNoAnswer, nullptr, std::nullopt, need.span};
  }
  return {Verdict::kLost, Reason::kSaveFailed, nullptr, std::nullopt, need.span};
}

// A person fetched it from the portal and put it in the case system, or did not: its logs name
// messages that the case system itself received.
bool is_fetched_by_hand(const Context& c) {
  return !c.signs.first_seen && c.signs.row_channel == kManualChannel;
}

// Neither a commit nor a failure of its own is seen.
Decision decide_silent(const Context& c, Signal decisive) {
  const Need need = need_of_silent(c);
  const Step* failure = c.signs.unclear_failure;
  if (auto hole = c.coverage.first_hole(decisive, need)) {
    // The end of the log is always a little behind: that is not worth an alarm at once, unless
    // something else speaks of a failure.
    const Instant until =
        need.span.to + c.coverage.widest_at_end(decisive, need) + c.policy.report_within;
    const bool may_wait =
        hole->not_yet_read && failure == nullptr && !c.signs.last_retry && c.now < until;
    Decision out{may_wait ? Verdict::kPending : Verdict::kUnverifiable,
                 may_wait ? Reason::kNotYetRead : Reason::kHole, failure, std::move(hole)};
    if (may_wait) out.waits_until = until;
    return out;
  }
  const Interval read{c.coverage.asked_from(decisive, need), need.span.to};
  if (decisive == Signal::kMessageCommitted) {
    // Whosever the failure is: this message is not stored.
    return {Verdict::kMissing, Reason::kNothingLogged, failure, std::nullopt, read};
  }
  if (failure != nullptr) return {Verdict::kUnverifiable, Reason::kUnclearFailure, failure};
  return {Verdict::kNoFailureSeen, Reason::kNoFailure, nullptr, std::nullopt, read};
}

// It was tried again after its last failure.
bool ends_in_retry(const Signs& s) {
  return s.last_retry && (s.last_failure == nullptr || s.last_failure->what->time <= *s.last_retry);
}

Decision decide_receipted(const Context& c) {
  if (c.now < *c.signs.receipted + c.policy.grace) {
    return {Verdict::kPending, Reason::kWithinGrace};
  }
  if (c.signs.unclear_commit != nullptr) {
    return {Verdict::kUnverifiable, Reason::kUnclearCommit, c.signs.unclear_commit};
  }
  if (is_fetched_by_hand(c)) return {Verdict::kUnverifiable, Reason::kFetchedByHand};
  const bool commits_are_logged = c.coverage.observed(Signal::kMessageCommitted, c.names);
  const Signal decisive =
      commits_are_logged ? Signal::kMessageCommitted : Signal::kMessageSaveFailed;
  if (!c.coverage.observed(decisive, c.names)) {
    return {Verdict::kUnverifiable, Reason::kNobodyLooks, c.signs.unclear_failure};
  }
  // The failed attempt that was tried again may have been stored without a word.
  if (!commits_are_logged && ends_in_retry(c.signs)) {
    return {Verdict::kUnverifiable, Reason::kRetryWithoutEnd};
  }
  if (c.signs.first_failure != nullptr) return decide_failed(c, decisive);
  return decide_silent(c, decisive);
}

}  // namespace

Category category_of(Verdict verdict, std::string_view channel,
                     std::optional<Instant> purge_deadline, Instant now) {
  const bool absent =
      verdict == Verdict::kLost || verdict == Verdict::kMissing || verdict == Verdict::kInDoubt;
  if (!absent) return Category::kNone;
  if (channel == kSvarUtChannel) return Category::kC;
  return purge_deadline && *purge_deadline <= now ? Category::kA : Category::kB;
}

Decision decide_verdict(const Signs& signs, const std::vector<Reference>& names,
                        const PortalMap& portals, const CoverageMap& coverage, const Policy& policy,
                        Instant now) {
  ReferenceTypes types;
  for (const Reference& name : names) types.add(name.type);
  const bool has_portal_id = names.front().type == ReferenceType::kPortalMessageId;
  const Context c{signs, types, has_portal_id, portals, coverage, policy, now};
  if (signs.commit != nullptr) return decide_committed(c);
  if (!signs.receipted) return decide_unreceipted(c);
  return decide_receipted(c);
}

}  // namespace meldevakt::collector
