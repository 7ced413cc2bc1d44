#include "collector/correlate/receipt_order.h"

#include <algorithm>

namespace meldevakt::collector {
namespace {

// The latest that it can have been.
Instant latest_of(const StepFact& what) {
  const Duration cut = what.time.ms % 1000 == 0 ? milliseconds(999) : Duration{};
  return what.time + what.time_error + cut;
}

// The earliest acknowledgement by the clock that tells of the commit.
std::optional<Instant> own_receipt(const Lives& lives, const Life& life, const Step& commit) {
  std::optional<Instant> out;
  for (const std::size_t i : life.own) {
    const Step& step = lives.steps[i];
    if (step.what->signal != Signal::kMessageAcknowledged) continue;
    if (step.ledger->agent != commit.ledger->agent) continue;
    const Instant earliest = step.what->time - step.what->time_error;
    out = std::min(out.value_or(earliest), earliest);
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
  const Instant committed = latest_of(*commit.what);
  ReceiptOrder out;
  if (const auto own = own_receipt(lives, life, commit)) {
    out.commit_came_first = committed < *own;
    return out;
  }
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
    if (!row.confirmed || row.channel == kPrintChannel) continue;
    add_receipt(*row.confirmed, policy.clock_error + error, committed, out, all);
  }
  if (!all || !out.across_clocks) return {};
  out.commit_came_first = true;
  return out;
}

}  // namespace meldevakt::collector
