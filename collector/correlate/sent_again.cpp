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

// The same agent told of a delivery of that kind before, or of a save that failed.
bool was_told_before(const Lives& lives, const Life& life, const Step& again) {
  return std::any_of(life.own.begin(), life.own.end(), [&](std::size_t i) {
    const Step& step = lives.steps[i];
    const Signal signal = step.what->signal;
    return &step < &again && step.ledger->agent == again.ledger->agent &&
           (signal == again.what->signal || signal == Signal::kMessageSaveFailed);
  });
}

// As its own steps tell, before the commit.
void add_told(const Lives& lives, const Life& life, const Signs& signs, const Bench& bench,
              std::vector<Instant>& out) {
  Instant last = *signs.receipted_until;
  bool tried_by_itself = false;
  for (const std::size_t i : life.own) {
    const Step& step = lives.steps[i];
    if (&step >= signs.commit) return;
    const StepFact& what = *step.what;
    if (what.signal == Signal::kMessageRetried) tried_by_itself = true;
    if (what.signal == Signal::kMessageSaveFailed) tried_by_itself = false;
    if (what.signal == Signal::kMessageRetried || what.signal == Signal::kMessageSaveFailed) {
      last = std::max(last, what.time + what.time_error);
    }
    const ClockErrors& errors = bench.coverage.clock_errors();
    const Duration slack = bench.policy.clock_error + errors.of(step.ledger->agent, what.time);
    const Instant time = what.time - what.time_error;
    if (!delivers(what.signal) || tried_by_itself || time < last + bench.policy.again_after + slack)
      continue;
    if (was_told_before(lives, life, step)) out.push_back(time);
  }
}

// The portal confirmed the same sending before.
bool was_confirmed_before(const Life& life, const Receipt& again, const Policy& policy) {
  return std::any_of(life.receipts.begin(), life.receipts.end(), [&](const Receipt& row) {
    return row.portal == again.portal && row.sent == again.sent && row.confirmed &&
           row.channel != kPrintChannel && *row.confirmed + policy.again_after <= *again.confirmed;
  });
}

// As the portal's rows tell: at about the time of the commit, which may lie on either side of its
// receipt.
void add_confirmed(const Life& life, const Signs& signs, const Bench& bench,
                   std::vector<Instant>& out) {
  const Instant committed = signs.commit->what->time + signs.commit->what->time_error;
  const ClockErrors& errors = bench.coverage.clock_errors();
  const Duration slack =
      bench.policy.clock_error + errors.of(signs.commit->ledger->agent, committed);
  const Instant receipted = *signs.receipted_until;
  const Instant last = std::max(receipted, signs.failed_from.value_or(receipted));
  for (const Receipt& row : life.receipts) {
    if (!row.confirmed || row.channel == kPrintChannel) continue;
    const bool near = *row.confirmed <= committed + bench.policy.grace + slack;
    if (!near || *row.confirmed < last + bench.policy.again_after + slack) continue;
    if (was_confirmed_before(life, row, bench.policy)) out.push_back(*row.confirmed);
  }
}

// Its life until then.
Life until(const Lives& lives, const Life& life, const Signs& signs, Instant again) {
  const auto comes_later = [&](std::size_t i) {
    const Step& step = lives.steps[i];
    return &step >= signs.commit || step.what->time - step.what->time_error >= again;
  };
  Life out = life;
  std::erase_if(out.own, comes_later);
  std::erase_if(out.unclear, comes_later);
  std::erase_if(out.receipts,
                [&](const Receipt& row) { return row.confirmed && *row.confirmed >= again; });
  return out;
}

std::optional<Absence> absence_until(Instant again, const Lives& lives, const Life& life,
                                     const Signs& signs, const Bench& bench) {
  const Life first = until(lives, life, signs, again);
  const Signs before = gather_signs(lives, first, bench.coverage, bench.policy);
  if (!before.receipted) return std::nullopt;
  const Decision decision =
      decide_verdict(before, first.references, bench.portals, bench.coverage, bench.policy, again);
  const std::string_view channel = channel_of(first, before);
  const auto purge = purge_deadline(bench.policy.retention, channel, before.sent, before.kept_from);
  Absence out;
  out.verdict = decision.verdict;
  out.category = category_of(decision.verdict, channel, purge, again);
  if (out.category == Category::kNone) return std::nullopt;
  out.cause = cause_of(decision, before);
  out.explanation = explain(decision, before, {});
  out.times = {*before.receipted_from, *before.receipted_until};
  if (before.failed_from) out.times.from = std::min(out.times.from, *before.failed_from);
  if (before.tried_until) out.times.to = std::max(out.times.to, *before.tried_until);
  out.again = again;
  return out;
}

}  // namespace

std::vector<Instant> delivered_again(const Lives& lives, const Life& life, const Signs& signs,
                                     const Bench& bench) {
  std::vector<Instant> out;
  // Whose it is nobody knows of what only a shared log tells: nothing is said of its past.
  if (!signs.receipt_came_first || signs.shared_only) return out;
  add_told(lives, life, signs, bench, out);
  add_confirmed(life, signs, bench, out);
  std::sort(out.begin(), out.end());
  return out;
}

std::optional<Absence> absence_before(const Lives& lives, const Life& life, const Signs& signs,
                                      const Bench& bench) {
  for (const Instant again : delivered_again(lives, life, signs, bench)) {
    if (auto out = absence_until(again, lives, life, signs, bench)) return out;
  }
  return std::nullopt;
}

}  // namespace meldevakt::collector
