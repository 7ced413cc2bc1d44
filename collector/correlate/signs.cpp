#include "collector/correlate/signs.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>

#include "collector/correlate/settled_rows.h"
#include "common/receipts/counting_rows.h"

namespace meldevakt::collector {
namespace {

void keep_earliest(std::optional<Instant>& kept, Instant time) {
  if (!kept || time < *kept) kept = time;
}

void keep_latest(std::optional<Instant>& kept, Instant time) {
  if (!kept || *kept < time) kept = time;
}

// Of several receipts the earliest counts; the more doubtful of two at the same time.
void keep_receipt(Signs& signs, Instant time, Duration error) {
  keep_earliest(signs.receipted_from, time - error);
  if (signs.receipted && *signs.receipted < time) return;
  if (signs.receipted != time) signs.receipted_until.reset();
  signs.receipted = time;
  keep_latest(signs.receipted_until, time + error);
}

// The newest row says it, or what it leaves open an older one.
void gather_words(const Life& life, Signs& signs) {
  const auto newest_that = [&life](const auto& says) {
    const Receipt* out = nullptr;
    for (const Receipt& row : life.receipts) {
      if (says(row) && (out == nullptr || is_newer(row, *out))) out = &row;
    }
    return out;
  };
  const Receipt* row = newest_that([](const Receipt& r) { return r.form != FormType::kUnknown; });
  if (row != nullptr) signs.row_form = row->form;
  row = newest_that([](const Receipt& r) { return !r.channel.empty(); });
  if (row != nullptr) signs.row_channel = row->channel;
  row = newest_that([](const Receipt& r) { return !r.district.empty(); });
  if (row != nullptr) signs.row_district = row->district;
}

// Of rows that tell one receipt in several zones the portal counts its days from the earliest, and
// what must have been read reaches to the latest. REQUIRES: `signs.receipted` is known.
void gather_zones(const std::vector<Receipt>& rows, Signs& signs) {
  std::vector<bool> later;  // than another of its zones; empty: none
  // The receipt that counts may be told by another list, or an acknowledgement, a little earlier.
  const auto is_counted = [&signs](Instant time) {
    return signs.receipted && time <= *signs.receipted_until + kHandledWithin;
  };
  for (const auto& group : rows_in_zones(rows)) {
    signs.in_zones = true;
    later.resize(rows.size());
    bool counts = false;
    Instant latest = *rows[group.front()].confirmed;
    for (const std::size_t i : group) {
      later[i] = rows[group.front()].confirmed != rows[i].confirmed;
      if (!has_receipt(rows[i])) continue;
      counts = counts || is_counted(*rows[i].confirmed);
      latest = std::max(latest, *rows[i].confirmed);
    }
    if (counts) keep_latest(signs.receipted_in_zones, latest);
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!has_receipt(rows[i]) || (!later.empty() && later[i])) continue;
    keep_latest(signs.kept_from, *rows[i].confirmed);
  }
}

void gather_rows(const Life& life, Signs& signs) {
  for (const Receipt& row : life.receipts) {
    if (row.sent) keep_earliest(signs.sent, *row.sent);
    if (std::find(signs.portals.begin(), signs.portals.end(), row.portal) == signs.portals.end()) {
      signs.portals.push_back(row.portal);
    }
    if (has_receipt(row)) keep_receipt(signs, *row.confirmed, Duration{});
    if (row.channel == kPrintChannel) {
      signs.printed = true;
      if (row.confirmed) keep_earliest(signs.posted, *row.confirmed);
    }
    if (signs.row == nullptr || is_newer(row, *signs.row)) signs.row = &row;
  }
  if (signs.row != nullptr) gather_words(life, signs);
}

// `step` comes in event order: the first of a kind is the earliest, the last the latest.
void gather_own_step(const Step& step, Signs& signs) {
  const StepFact& what = *step.what;
  keep_earliest(signs.first_seen, what.time);
  if (what.form && !signs.form) signs.form = what.form;
  if (signs.district.empty()) signs.district = what.district;
  switch (what.signal) {
    case Signal::kMessageReceived:
      keep_earliest(signs.received, what.time - what.time_error);
      break;
    case Signal::kMessageAcknowledged: keep_receipt(signs, what.time, what.time_error); break;
    case Signal::kMessageRetried:
      keep_latest(signs.last_retry, what.time);
      keep_latest(signs.tried_until, what.time + what.time_error);
      break;
    case Signal::kMessageCommitted:
      if (signs.commit == nullptr) signs.commit = &step;
      break;
    case Signal::kMessageRejected:
      if (signs.rejected == nullptr) signs.rejected = &step;
      break;
    case Signal::kMessageSaveFailed:
      if (signs.first_failure == nullptr) signs.first_failure = &step;
      signs.last_failure = &step;
      keep_earliest(signs.failed_from, what.time - what.time_error);
      keep_latest(signs.tried_until, what.time + what.time_error);
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
                 const std::vector<Interval>& times, Duration nearby, const Step*& kept) {
  for (const Interval& time : times) {
    const auto at = std::lower_bound(
        nameless.begin(), nameless.end(), time.from - nearby,
        [&lives](std::size_t step, Instant t) { return lives.steps[step].what->time < t; });
    if (at == nameless.end()) continue;
    const Step& step = lives.steps[*at];
    if (step.what->time > time.to + nearby) continue;
    // Steps lie in one vector in event order, so the lower address is the earlier event.
    if (kept == nullptr || &step < kept) kept = &step;
  }
}

// Those whose own time is in doubt are few, and looked at one by one.
void keep_doubtful(const Lives& lives, Signal signal, const std::vector<Interval>& times,
                   Duration nearby, const Step*& kept) {
  for (const std::size_t i : lives.nameless_in_doubt) {
    const Step& step = lives.steps[i];
    if (step.what->signal != signal || (kept != nullptr && kept <= &step)) continue;
    const Duration reach = nearby + step.what->time_error;
    const bool near = std::any_of(times.begin(), times.end(), [&](const Interval& time) {
      return time.from - reach <= step.what->time && step.what->time <= time.to + reach;
    });
    if (near) kept = &step;
  }
}

void find_receipt_before_commit(const Lives& lives, const Life& life, const CoverageMap& coverage,
                                const Policy& policy, Signs& signs) {
  const Step& commit = *signs.commit;
  const Instant committed = commit.what->time - commit.what->time_error;
  const std::string& agent = commit.ledger->agent;
  const ClockErrors& errors = coverage.clock_errors();
  const Duration error = errors.of(agent, commit.what->time);
  bool by_one_clock = false;
  const auto across_clocks = [&](Instant receipt) {
    signs.receipt_came_first = true;
    const Duration by = committed - receipt;
    signs.first_across_clocks = std::max(signs.first_across_clocks.value_or(by), by);
  };
  for (const std::size_t i : life.own) {
    const Step& step = lives.steps[i];
    if (step.what->signal != Signal::kMessageAcknowledged) continue;
    const std::string& other = step.ledger->agent;
    // Two times of one clock are compared as they are.
    const Duration slack = other == agent ? Duration{} : error + errors.of(other, step.what->time);
    const Instant latest = step.what->time + step.what->time_error;
    if (latest + slack >= committed) continue;
    if (other == agent) by_one_clock = true;
    across_clocks(latest);
  }
  const std::vector<bool> outweighed = outweighed_rows(lives, life, coverage, signs.clocks, policy);
  for (std::size_t i = 0; i < life.receipts.size(); ++i) {
    const Receipt& row = life.receipts[i];
    if (!has_receipt(row) || (!outweighed.empty() && outweighed[i])) continue;
    const Instant confirmed = *row.confirmed;
    // A time in whole seconds was probably cut: the receipt may be almost a second later.
    const Duration cut = confirmed.ms % 1000 == 0 ? seconds(1) : Duration{};
    if (confirmed + policy.clock_error + error + cut < committed) across_clocks(confirmed);
  }
  if (by_one_clock) signs.first_across_clocks.reset();
}

TellingClocks clocks_of(const Lives& lives, const Life& life, const CoverageMap& coverage,
                        const Policy& policy) {
  std::map<std::string_view, Duration> errors;
  for (const std::size_t i : life.own) {
    const Step& step = lives.steps[i];
    const std::string& agent = step.ledger->agent;
    const Instant time = step.what->time;
    Duration& error = errors[agent];
    error = std::max(error, coverage.clock_errors().widest(agent, {time, time}));
  }
  if (std::any_of(life.receipts.begin(), life.receipts.end(), has_receipt)) {
    errors[""] = policy.clock_error;
  }
  TellingClocks out;
  if (errors.empty()) return out;
  const auto most =
      std::max_element(errors.begin(), errors.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  out.agent = most->first;
  out.error = most->second;
  for (const auto& [agent, error] : errors) {
    if (agent != most->first) out.others = std::max(out.others.value_or(error), error);
  }
  return out;
}

std::optional<Duration> shared_only(const Lives& lives, const Life& life,
                                    const CoverageMap& coverage, const Policy& policy) {
  if (!life.receipts.empty() || life.own.empty()) return std::nullopt;
  Duration error;
  for (const std::size_t i : life.own) {
    const LedgerFact& ledger = *lives.steps[i].ledger;
    const StepFact& what = *lives.steps[i].what;
    if (!coverage.is_shared(ledger.agent, ledger.fact.source, what.time)) return std::nullopt;
    const Interval span{what.time, what.time};
    error = std::max(error, coverage.clock_errors().widest(ledger.agent, span) + what.time_error);
  }
  return error + policy.clock_error;
}

}  // namespace

Signs gather_signs(const Lives& lives, const Life& life, const CoverageMap& coverage,
                   const Policy& policy) {
  Signs signs;
  gather_rows(life, signs);
  std::vector<Interval> times;  // signs of life: what is near them may be its
  for (const std::size_t i : life.own) {
    const StepFact& what = *lives.steps[i].what;
    gather_own_step(lives.steps[i], signs);
    times.push_back({what.time - what.time_error, what.time + what.time_error});
  }
  for (const Receipt& row : life.receipts) {
    if (has_receipt(row)) times.push_back({*row.confirmed, *row.confirmed});
  }
  gather_zones(life.receipts, signs);
  for (const std::size_t i : life.unclear) gather_unclear_step(lives.steps[i], signs);
  keep_nearby(lives, lives.nameless_commits, times, policy.nearby, signs.unclear_commit);
  keep_nearby(lives, lives.nameless_failures, times, policy.nearby, signs.unclear_failure);
  keep_doubtful(lives, Signal::kMessageCommitted, times, policy.nearby, signs.unclear_commit);
  keep_doubtful(lives, Signal::kMessageSaveFailed, times, policy.nearby, signs.unclear_failure);
  signs.clocks = clocks_of(lives, life, coverage, policy);
  signs.shared_only = shared_only(lives, life, coverage, policy);
  if (!signs.kept_from) signs.kept_from = signs.receipted;
  if (signs.commit != nullptr) find_receipt_before_commit(lives, life, coverage, policy, signs);
  return signs;
}

std::string_view channel_of(const Life& life, const Signs& signs) {
  if (!life.receipts.empty()) return signs.row_channel;
  const auto is = [](ReferenceType type) {
    return [type](const Reference& reference) { return reference.type == type; };
  };
  const auto& names = life.references;
  const bool shipment =
      std::any_of(names.begin(), names.end(), is(ReferenceType::kShipmentId)) &&
      std::none_of(names.begin(), names.end(), is(ReferenceType::kPortalMessageId));
  return shipment ? kSvarUtChannel : std::string_view{};
}

std::optional<Instant> to_be_posted_from(const Signs& signs) {
  if (signs.rejected != nullptr) return signs.rejected->what->time;
  return signs.sent ? signs.sent : signs.first_seen;
}

}  // namespace meldevakt::collector
