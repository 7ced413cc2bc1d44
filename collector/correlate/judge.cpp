#include "collector/correlate/judge.h"

#include <algorithm>
#include <array>

#include "collector/correlate/receipt_order.h"
#include "collector/correlate/sent_again.h"
#include "collector/correlate/settled_rows.h"
#include "collector/correlate/words.h"

namespace meldevakt::collector {
namespace {

void tell_times(const Life& life, const Signs& signs, const Policy& policy, MessageVerdict& out) {
  out.form = signs.form.value_or(FormType::kUnknown);
  if (signs.row_form != FormType::kUnknown) out.form = signs.row_form;
  out.channel = channel_of(life, signs);
  out.district = signs.district;
  if (out.district.empty()) out.district = signs.row_district;
  out.sent = signs.sent;
  out.receipted = signs.receipted;
  if (signs.commit != nullptr) out.committed = signs.commit->what->time;
  if (signs.last_failure != nullptr) out.failed = signs.last_failure->what->time;
  out.purge_deadline = purge_deadline(policy.retention, out.channel, signs.sent, signs.kept_from);
}

// From the first to the last that is known of it; each time as wide as it is in doubt.
std::optional<Interval> times_of(const Lives& lives, const Life& life, const Signs& signs) {
  std::optional<Interval> out;
  const auto widen = [&out](Instant from, Instant to) {
    if (!out) out = Interval{from, to};
    out->from = std::min(out->from, from);
    out->to = std::max(out->to, to);
  };
  if (signs.receipted) widen(*signs.receipted_from, *signs.receipted_until);
  if (signs.sent) widen(*signs.sent, *signs.sent);
  for (const std::size_t i : life.own) {
    const StepFact& what = *lives.steps[i].what;
    widen(what.time - what.time_error, what.time + what.time_error);
  }
  for (const Receipt& row : life.receipts) {
    if (row.confirmed) widen(*row.confirmed, *row.confirmed);
  }
  return out;
}

std::vector<std::string> evidence_of(const Lives& lives, const Life& life,
                                     const Decision& decision) {
  std::vector<std::string> ids = life.aliases;
  for (const std::size_t step : life.own) ids.push_back(lives.steps[step].id());
  if (decision.unclear != nullptr) ids.push_back(decision.unclear->id());
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

// Every point in time that decide.cpp compares `now` with, as far as it may still matter.
std::optional<Instant> next_of(const Signs& signs, const Decision& decision,
                               const MessageVerdict& message, const Bench& bench) {
  const Policy& policy = bench.policy;
  std::array<std::optional<Instant>, 6> times;
  const auto since = signs.sent ? signs.sent : signs.first_seen;
  const bool may_be_unreceipted = message.verdict == Verdict::kStored && !signs.receipted;
  if (message.verdict == Verdict::kPending || may_be_unreceipted) {
    if (since) times[0] = *since + policy.confirm_within;
  }
  if (message.verdict == Verdict::kPending) {
    if (signs.receipted) {
      times[1] = *signs.receipted + policy.grace;
      times[2] = decision.waits_until;
    }
    if (signs.unclear_receipt != nullptr) {
      times[3] = signs.unclear_receipt->what->time + policy.grace;
    }
  }
  if (message.category == Category::kB) times[4] = message.purge_deadline;
  if (message.verdict == Verdict::kFallback && !signs.posted) {
    if (const auto from = to_be_posted_from(signs)) times[5] = *from + policy.post_within;
  }
  std::optional<Instant> next;
  for (const auto& time : times) {
    if (time && bench.now < *time && (!next || *time < *next)) next = time;
  }
  return next;
}

// Of what time lists must be complete to say that a message, of which there is no row, is
// another's. When it was sent nobody knows: it may have waited as long as a portal waits before a
// letter of it is posted. And a list is believed of what was sent a while before it ends, since
// until when it was exported nobody knows. REQUIRES: signs.shared_only.
Interval asked_of_lists(const Signs& signs, const Policy& policy) {
  const Instant seen = *signs.first_seen;
  const Duration error = *signs.shared_only;
  return {seen - std::max(policy.look_before, policy.post_within) - error,
          seen + policy.confirm_within + error};
}

bool is_of_another(const Signs& signs, const Life& life, const Bench& bench) {
  if (!signs.shared_only || life.references.front().type != ReferenceType::kPortalMessageId) {
    return false;
  }
  const Interval asked = asked_of_lists(signs, bench.policy);
  return bench.portals.all_complete(asked.from, asked.to);
}

// Wide enough for every stretch that decide.cpp and signs.cpp look at, but for errors of clocks
// that are ordinary (ClockErrors::kOrdinary): whoever disturbs reaches so much further.
std::optional<Interval> sensitive_of(const std::optional<Interval>& times, const Signs& signs,
                                     bool again, const CoverageMap& coverage,
                                     const Policy& policy) {
  const bool settled =
      signs.commit != nullptr && signs.receipted && !signs.shared_only && !again && !signs.in_zones;
  if (!times || settled) return std::nullopt;
  Interval out{times->from - std::max(policy.look_before, policy.nearby),
               times->to + std::max(policy.grace, policy.nearby)};
  if (signs.in_zones) {
    out = {std::min(out.from, times->from - kHandledWithin),
           std::max(out.to, times->to + kHandledWithin)};
  }
  if (!signs.receipted) {
    out.to = std::max(out.to, times->to + std::max(policy.confirm_within, policy.post_within));
  }
  if (signs.shared_only) {
    const Interval asked = asked_of_lists(signs, policy);
    out = {std::min(out.from, asked.from), std::max(out.to, asked.to)};
  }
  const Duration told = std::max(signs.clocks.error, signs.clocks.others.value_or(Duration{}));
  const Duration wrong = told + coverage.clock_errors().widest_of_any(out);
  if (wrong > ClockErrors::kOrdinary) out = {out.from - wrong, out.to + wrong};
  return out;
}

// It is stored, and was not when it was first delivered.
void tell_absence(const Absence& was, const Surroundings& surroundings, Duration error,
                  MessageVerdict& out) {
  out.explanation = "Delivered again at " + to_rfc3339(was.again) +
                    " and stored; before that it was " + std::string{to_string(was.verdict)} +
                    ": " + was.explanation;
  out.verdict = Verdict::kRecovered;
  out.category = was.category;
  out.cause = was.cause;
  out.windows = surroundings.windows_over({was.times.from - error, was.times.to + error});
}

}  // namespace

Judged judge(const Lives& lives, const Life& told, const Bench& bench,
             const Surroundings& surroundings) {
  const std::optional<Life> settled = with_channels(told);
  const Life& life = settled ? *settled : told;
  const Signs signs = gather_signs(lives, life, bench.coverage, bench.policy);
  const Decision decision = decide_verdict(signs, life.references, bench.portals, bench.coverage,
                                           bench.policy, bench.now);
  Judged out;
  out.of_another = is_of_another(signs, life, bench);
  MessageVerdict& message = out.message;
  message.message = life.message;
  message.references = life.references;
  message.verdict = decision.verdict;
  tell_times(life, signs, bench.policy, message);
  Candidates candidates;
  if (decision.unclear != nullptr) {
    candidates =
        surroundings.candidates_of(static_cast<std::size_t>(decision.unclear - lives.steps.data()));
  }
  message.candidates = candidates.messages;
  message.explanation = explain(decision, signs, candidates);
  message.cause = cause_of(decision, signs);
  if (signs.shared_only && needs_action(message.verdict)) message.cause = kCauseWhoseUnknown;
  message.category =
      category_of(message.verdict, message.channel, message.purge_deadline, bench.now);
  message.evidence = evidence_of(lives, life, decision);
  const std::optional<Interval> times = times_of(lives, life, signs);
  if (times) {
    message.first_seen = times->from;
    const Duration error = bench.policy.clock_error;
    out.span = Interval{times->from - error, times->to + error};
    message.windows = surroundings.windows_over(*out.span);
  }
  const Deliveries again = delivered_again(lives, life, signs, bench);
  if (const auto was = absence_before(again, lives, life, signs, bench)) {
    tell_absence(*was, surroundings, bench.policy.clock_error, message);
  } else if (again.more) {
    message.explanation +=
        " It was delivered again too often for each time to be looked at: it may "
        "have been lost meanwhile.";
  }
  out.sensitive = sensitive_of(times, signs, !again.times.empty(), bench.coverage, bench.policy);
  out.next = next_of(signs, decision, message, bench);
  out.first_across_clocks = signs.first_across_clocks;
  if (message.verdict == Verdict::kStored && signs.receipted) {
    const ReceiptOrder order = order_of(lives, life, *signs.commit, bench.coverage, bench.policy);
    message.stored_first = order.commit_came_first;
    out.first_across_clocks = order.across_clocks;
  }
  return out;
}

}  // namespace meldevakt::collector
