#include "collector/correlate/sent_again.h"

#include <algorithm>

#include "collector/correlate/decide.h"
#include "collector/correlate/explain.h"
#include "collector/correlate/words.h"
#include "collector/deadlines/deadlines.h"

namespace meldevakt::collector {
namespace {

bool delivers(Signal signal) {
  return signal == Signal::kMessageReceived || signal == Signal::kMessageAcknowledged;
}

// When it was delivered once more before the commit, by its own steps: later than anything of the
// first delivery could still have been stored.
std::optional<Instant> delivered_again(const Lives& lives, const Life& life, const Signs& signs,
                                       const Policy& policy) {
  Instant last = *signs.receipted_until;
  for (const std::size_t i : life.own) {
    const Step& step = lives.steps[i];
    if (&step >= signs.commit) break;
    const StepFact& what = *step.what;
    if (delivers(what.signal) && what.time - what.time_error > last + policy.grace) {
      return what.time - what.time_error;
    }
    const bool tries =
        what.signal == Signal::kMessageSaveFailed || what.signal == Signal::kMessageRetried;
    if (tries) last = std::max(last, what.time + what.time_error);
  }
  return std::nullopt;
}

// The same by the portal's rows: confirmed once more, at about the time of the commit, which may
// lie on either side of its receipt.
std::optional<Instant> confirmed_again(const Life& life, const Signs& signs, const Policy& policy) {
  const Duration slack = policy.grace + policy.clock_error;
  const Instant committed = signs.commit->what->time + signs.commit->what->time_error;
  const Instant receipted = *signs.receipted_until;
  const Instant last = std::max(receipted, signs.failed_from.value_or(receipted));
  std::optional<Instant> out;
  for (const Receipt& row : life.receipts) {
    if (!row.confirmed || row.channel == kPrintChannel) continue;
    const bool is_again = *row.confirmed > last + slack && *row.confirmed <= committed + slack;
    if (is_again && (!out || *row.confirmed < *out)) out = *row.confirmed;
  }
  return out;
}

// Its life until then.
Life until(const Lives& lives, const Life& life, const Signs& signs, Instant again) {
  Life out = life;
  std::erase_if(out.own, [&](std::size_t i) {
    const Step& step = lives.steps[i];
    return &step >= signs.commit || step.what->time - step.what->time_error >= again;
  });
  std::erase_if(out.receipts,
                [&](const Receipt& row) { return row.confirmed && *row.confirmed >= again; });
  return out;
}

}  // namespace

bool may_have_been_absent(const Signs& signs, const Policy& policy) {
  return signs.commit != nullptr && signs.receipted &&
         signs.commit->what->time + signs.commit->what->time_error >
             *signs.receipted + policy.grace;
}

std::optional<Absence> absence_before(const Lives& lives, const Life& life, const Signs& signs,
                                      const Bench& bench) {
  if (!may_have_been_absent(signs, bench.policy)) return std::nullopt;
  auto again = delivered_again(lives, life, signs, bench.policy);
  if (!again) again = confirmed_again(life, signs, bench.policy);
  if (!again) return std::nullopt;
  const Life first = until(lives, life, signs, *again);
  const Signs before = gather_signs(lives, first, bench.coverage, bench.policy);
  if (!before.receipted) return std::nullopt;
  const Decision decision =
      decide_verdict(before, first.references, bench.portals, bench.coverage, bench.policy, *again);
  const std::string_view channel = channel_of(first, before);
  const auto purge = purge_deadline(bench.policy.retention, channel, before.sent, before.kept_from);
  Absence out;
  out.verdict = decision.verdict;
  out.category = category_of(decision.verdict, channel, purge, *again);
  if (out.category == Category::kNone) return std::nullopt;
  out.cause = cause_of(decision, before);
  out.explanation = explain(decision, before, {});
  out.times = {*before.receipted_from, *before.receipted_until};
  if (before.failed_from) out.times.from = std::min(out.times.from, *before.failed_from);
  if (before.tried_until) out.times.to = std::max(out.times.to, *before.tried_until);
  out.again = *again;
  return out;
}

}  // namespace meldevakt::collector
