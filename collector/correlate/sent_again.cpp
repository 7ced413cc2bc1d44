#include "collector/correlate/sent_again.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string_view>
#include <utility>

#include "collector/correlate/decide.h"
#include "collector/correlate/explain.h"
#include "collector/correlate/settled_rows.h"
#include "collector/correlate/words.h"
#include "collector/deadlines/deadlines.h"

namespace meldevakt::collector {
namespace {

// So long after its own retry a case system may take the message out of its own queue once more.
constexpr Duration kRetryExplains = hours(6);

bool delivers(Signal signal) {
  return signal == Signal::kMessageReceived || signal == Signal::kMessageAcknowledged;
}

// What each log told so far, in event order.
class ToldSoFar {
 public:
  // Whether the same log told of a delivery of that kind before, or of a save that failed.
  [[nodiscard]] bool tells_again(const Step& step) const {
    const auto log = told_.find({step.ledger->agent, step.ledger->fact.source});
    if (log == told_.end()) return false;
    return log->second.failed ||
           (step.what->signal == Signal::kMessageReceived ? log->second.received
                                                          : log->second.acknowledged);
  }
  void take(const Step& step) {
    const Signal signal = step.what->signal;
    if (signal != Signal::kMessageSaveFailed && !delivers(signal)) return;
    Kinds& kinds = told_[{step.ledger->agent, step.ledger->fact.source}];
    kinds.failed = kinds.failed || signal == Signal::kMessageSaveFailed;
    kinds.received = kinds.received || signal == Signal::kMessageReceived;
    kinds.acknowledged = kinds.acknowledged || signal == Signal::kMessageAcknowledged;
  }

 private:
  struct Kinds {
    bool failed = false;
    bool received = false;
    bool acknowledged = false;
  };
  std::map<std::pair<std::string_view, std::string_view>, Kinds> told_;  // agent, source
};

// What a case system did by itself so far. A retry explains what it is told of again for a while.
struct Attempts {
  Instant last;  // the latest that anything could have been tried
  std::size_t count = 0;
  bool failed = false;
  std::optional<Instant> retried{};  // since it failed last

  void take(const StepFact& what) {
    const bool fails = what.signal == Signal::kMessageSaveFailed;
    if (!fails && what.signal != Signal::kMessageRetried) return;
    ++count;
    last = std::max(last, what.time + what.time_error);
    failed = failed || fails;
    retried = fails ? std::nullopt : std::optional{what.time + what.time_error};
  }
  [[nodiscard]] bool explain(Instant time) const {
    return retried && time < *retried + kRetryExplains;
  }
};

Duration apart(const Step& step, const Bench& bench) {
  const Instant time = step.what->time;
  return bench.policy.again_after + bench.policy.clock_error +
         bench.coverage.clock_errors().widest(step.ledger->agent, {time, time});
}

struct Delivery {
  Instant time;
  std::size_t attempts = 0;  // before it
  auto operator<=>(const Delivery&) const = default;
};

// As its own steps tell, before the commit. Returns what was tried until then.
Attempts add_told(const Lives& lives, const Life& life, const Signs& signs, const Bench& bench,
                  std::vector<Delivery>& out) {
  Attempts attempts;
  attempts.last = *signs.receipted_until;
  ToldSoFar told;
  for (const std::size_t i : life.own) {
    const Step& step = lives.steps[i];
    if (&step >= signs.commit) break;
    attempts.take(*step.what);
    const bool again = told.tells_again(step);
    told.take(step);
    const Instant time = step.what->time - step.what->time_error;
    if (!again || !delivers(step.what->signal) || attempts.explain(time)) continue;
    if (attempts.last + apart(step, bench) <= time) out.push_back({time, attempts.count});
  }
  return attempts;
}

// As the portal's rows tell: at about the time of the commit, which may lie on either side of its
// receipt. Only after a save that failed: a message that waited in a queue is confirmed so, too.
void add_confirmed(const Life& life, const Signs& signs, const Bench& bench,
                   const Attempts& attempts, std::vector<Delivery>& out) {
  const Instant committed = signs.commit->what->time + signs.commit->what->time_error;
  const Duration far = apart(*signs.commit, bench);
  if (!attempts.failed || attempts.explain(committed) || committed < attempts.last + far) return;
  const Instant latest = committed + bench.policy.grace + far - bench.policy.again_after;
  const std::map<Sending, Interval> confirmed = confirmations(life.receipts);
  for (const Receipt& row : life.receipts) {
    if (!has_receipt(row)) continue;
    if (*row.confirmed < attempts.last + far || latest < *row.confirmed) continue;
    const Instant before = confirmed.at({row.portal, row.sent}).from;
    if (before + bench.policy.again_after > *row.confirmed) continue;
    out.push_back({*row.confirmed, attempts.count});
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

Deliveries delivered_again(const Lives& lives, const Life& life, const Signs& signs,
                           const Bench& bench) {
  Deliveries out;
  // Whose it is nobody knows of what only a shared log tells: nothing is said of its past.
  if (!signs.receipt_came_first || signs.shared_only) return out;
  std::vector<Delivery> all;
  const Attempts attempts = add_told(lives, life, signs, bench, all);
  add_confirmed(life, signs, bench, attempts, all);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  out.more = all.size() > kDeliveriesMax;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool first = i == 0 || all[i - 1].attempts != all[i].attempts;
    const bool last = i + 1 == all.size() || all[i + 1].attempts != all[i].attempts;
    if (first || last || !out.more) out.times.push_back(all[i].time);
  }
  if (out.times.size() > kDeliveriesMax) {
    constexpr auto kHalf = static_cast<std::ptrdiff_t>(kDeliveriesMax / 2);
    out.times.erase(out.times.begin() + kHalf, out.times.end() - kHalf);
  }
  return out;
}

std::optional<Absence> absence_before(const Deliveries& deliveries, const Lives& lives,
                                      const Life& life, const Signs& signs, const Bench& bench) {
  for (const Instant again : deliveries.times) {
    if (auto out = absence_until(again, lives, life, signs, bench)) return out;
  }
  return std::nullopt;
}

}  // namespace meldevakt::collector
