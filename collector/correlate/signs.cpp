#include "collector/correlate/signs.h"

#include <algorithm>
#include <tuple>

namespace meldevakt::collector {
namespace {

void keep_earliest(std::optional<Instant>& kept, Instant time) {
  if (!kept || time < *kept) kept = time;
}

void keep_latest(std::optional<Instant>& kept, Instant time) {
  if (!kept || *kept < time) kept = time;
}

bool has_receipt(const Receipt& row) {
  return row.confirmed && row.channel != kPrintChannel;
}

void gather_rows(const Life& life, Signs& signs) {
  for (const Receipt& row : life.receipts) {
    if (row.sent) keep_earliest(signs.sent, *row.sent);
    if (has_receipt(row)) {
      keep_earliest(signs.receipted, *row.confirmed);
      keep_latest(signs.kept_from, *row.confirmed);
    }
    if (row.channel == kPrintChannel) signs.printed = true;
    // Without the time of an import, the row confirmed last is the portal's newest word.
    if (signs.row == nullptr ||
        std::tie(signs.row->confirmed, *signs.row) < std::tie(row.confirmed, row)) {
      signs.row = &row;
    }
  }
}

// `step` comes in event order: the first of a kind is the earliest, the last the latest.
void gather_own_step(const Step& step, Signs& signs) {
  const StepFact& what = *step.what;
  keep_earliest(signs.first_seen, what.time);
  if (what.form && !signs.form) signs.form = what.form;
  switch (what.signal) {
    case Signal::kMessageReceived: keep_earliest(signs.received, what.time); break;
    case Signal::kMessageAcknowledged: keep_earliest(signs.receipted, what.time); break;
    case Signal::kMessageRetried: keep_latest(signs.last_retry, what.time); break;
    case Signal::kMessageCommitted:
      if (signs.commit == nullptr) signs.commit = &step;
      break;
    case Signal::kMessageRejected:
      if (signs.rejected == nullptr) signs.rejected = &step;
      break;
    case Signal::kMessageSaveFailed:
      if (signs.first_failure == nullptr) signs.first_failure = &step;
      signs.last_failure = &step;
      if (what.outcome == Outcome::kUnknown) signs.last_unknown = &step;
      break;
    default: break;  // gather_signs is given message signals only
  }
}

void gather_unclear_step(const Step& step, Signs& signs) {
  const auto keep_first = [&step](const Step*& kept) {
    if (kept == nullptr) kept = &step;
  };
  if (step.what->signal == Signal::kMessageCommitted) keep_first(signs.unclear_commit);
  if (step.what->signal == Signal::kMessageSaveFailed) keep_first(signs.unclear_failure);
  if (step.what->signal == Signal::kMessageAcknowledged) keep_first(signs.unclear_receipt);
}

// The earliest of `nameless` steps that lies near any of `times`, unless `kept` is earlier.
void keep_nearby(const Lives& lives, const std::vector<std::size_t>& nameless,
                 const std::vector<Instant>& times, Duration nearby, const Step*& kept) {
  for (const Instant time : times) {
    const auto at = std::lower_bound(
        nameless.begin(), nameless.end(), time - nearby,
        [&lives](std::size_t step, Instant t) { return lives.steps[step].what->time < t; });
    if (at == nameless.end()) continue;
    const Step& step = lives.steps[*at];
    if (step.what->time > time + nearby) continue;
    // Steps lie in one vector in event order, so the lower address is the earlier event.
    if (kept == nullptr || &step < kept) kept = &step;
  }
}

bool receipt_came_first(const Lives& lives, const Life& life, const CoverageMap& coverage,
                        const Policy& policy, const Signs& signs) {
  const Instant committed = signs.commit->what->time;
  const std::string& agent = signs.commit->ledger->agent;
  const Duration error = coverage.clock_error(agent);
  for (const std::size_t i : life.own) {
    const Step& step = lives.steps[i];
    if (step.what->signal != Signal::kMessageAcknowledged) continue;
    const std::string& other = step.ledger->agent;
    // Two times of one clock are compared as they are.
    const Duration slack = other == agent ? Duration{} : error + coverage.clock_error(other);
    if (step.what->time + slack < committed) return true;
  }
  for (const Receipt& row : life.receipts) {
    if (!has_receipt(row)) continue;
    // A time in whole seconds was probably cut: the receipt may be almost a second later.
    const Duration cut = row.confirmed->ms % 1000 == 0 ? seconds(1) : Duration{};
    if (*row.confirmed + policy.clock_error + error + cut < committed) return true;
  }
  return false;
}

}  // namespace

Signs gather_signs(const Lives& lives, const Life& life, const CoverageMap& coverage,
                   const Policy& policy) {
  Signs signs;
  gather_rows(life, signs);
  std::vector<Instant> times;  // signs of life: what is near them may be its
  for (const std::size_t i : life.own) {
    gather_own_step(lives.steps[i], signs);
    times.push_back(lives.steps[i].what->time);
  }
  for (const Receipt& row : life.receipts) {
    if (has_receipt(row)) times.push_back(*row.confirmed);
  }
  for (const std::size_t i : life.unclear) gather_unclear_step(lives.steps[i], signs);
  keep_nearby(lives, lives.nameless_commits, times, policy.nearby, signs.unclear_commit);
  keep_nearby(lives, lives.nameless_failures, times, policy.nearby, signs.unclear_failure);
  if (!signs.kept_from) signs.kept_from = signs.receipted;
  if (signs.commit != nullptr) {
    signs.receipt_came_first = receipt_came_first(lives, life, coverage, policy, signs);
  }
  return signs;
}

}  // namespace meldevakt::collector
