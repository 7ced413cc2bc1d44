#include "collector/correlate/receipt_order.h"

#include <algorithm>

namespace meldevakt::collector {
namespace {

// The latest that it can have been.
Instant latest_of(const StepFact& what) {
  const Duration cut = what.time.ms % 1000 == 0 ? milliseconds(999) : Duration{};
  return what.time + what.time_error + cut;
}

// By the clock that tells of the commit: whether it came before each acknowledgement, where there
// is one. Two times of one log are as exact as each other, and are compared as they stand.
std::optional<bool> before_own(const Lives& lives, const Life& life, const Step& commit) {
  std::optional<bool> out;
  for (const std::size_t i : life.own) {
    const Step& step = lives.steps[i];
    if (step.what->signal != Signal::kMessageAcknowledged) continue;
    if (step.ledger->agent != commit.ledger->agent) continue;
    const bool one_log = step.ledger->fact.source == commit.ledger->fact.source;
    const Instant committed =
        one_log ? commit.what->time + commit.what->time_error : latest_of(*commit.what);
    out = out.value_or(true) && committed < step.what->time - step.what->time_error;
  }
  return out;
}

// Later than the commit by more than the two clocks may err.
void add_receipt(Instant receipt, Duration slack, Instant committed, ReceiptOrder& out, bool& all) {
  const Duration by = receipt - committed;
  all = all && by > slack;
  out.across_clocks = std::min(out.across_clocks.value_or(by), by);
}

}  // namespace

ReceiptOrder order_of(const Lives& lives, const Life& life, const Step& commit,
                      const CoverageMap& coverage, const Policy& policy) {
  ReceiptOrder out;
  if (const auto before = before_own(lives, life, commit)) {
    out.commit_came_first = *before;
    return out;
  }
  const Instant committed = latest_of(*commit.what);
  const ClockErrors& errors = coverage.clock_errors();
  const Duration error = errors.of(commit.ledger->agent, commit.what->time);
  bool all = true;
  for (const std::size_t i : life.own) {
    const Step& step = lives.steps[i];
    if (step.what->signal != Signal::kMessageAcknowledged) continue;
    add_receipt(step.what->time - step.what->time_error,
                error + errors.of(step.ledger->agent, step.what->time), committed, out, all);
  }
  for (const Receipt& row : life.receipts) {
    if (!has_receipt(row)) continue;
    add_receipt(*row.confirmed, policy.clock_error + error, committed, out, all);
  }
  if (!all || !out.across_clocks) return {};
  out.commit_came_first = true;
  return out;
}

}  // namespace meldevakt::collector
