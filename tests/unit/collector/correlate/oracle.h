// The verdict table of collector/README.md once more, read row by row without a thought of cost:
// names are merged until nothing changes, coverage is looked up second by second, and every
// question goes through all facts. For worlds whose times are whole seconds from -200 to 200.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/collector/correlate/oracle_world.h"

namespace meldevakt::collector::testing {

class Oracle : private OracleWorld {
 public:
  using OracleWorld::OracleWorld;

  std::vector<std::pair<std::string, Verdict>> verdicts() const {
    std::vector<std::pair<std::string, Verdict>> out;
    for (const std::set<Reference>& names : messages()) {
      if (own_steps(names).empty() && rows(names).empty()) continue;
      if (is_of_another(names)) continue;
      const Reference& first = *names.begin();
      const bool portal = first.type == ReferenceType::kPortalMessageId;
      out.emplace_back(
          portal ? first.value : std::string{to_string(first.type)} + ":" + first.value,
          verdict_of(names));
    }
    std::sort(out.begin(), out.end());
    return out;
  }

 private:
  // --- what rows say --------------------------------------------------------------------------

  bool is_newest_by_hand(const Names& names) const {
    std::vector<Receipt> its = rows(names);
    std::sort(its.begin(), its.end(), [](const Receipt& a, const Receipt& b) {
      const bool a_printed = a.channel == "print";
      const bool b_printed = b.channel == "print";
      return std::tie(a.confirmed, a_printed, a) < std::tie(b.confirmed, b_printed, b);
    });
    return !its.empty() && its.back().channel == "manual";
  }

  bool printed(const Names& names) const {
    const auto its = rows(names);
    return std::any_of(its.begin(), its.end(),
                       [](const Receipt& row) { return row.channel == "print"; });
  }

  // --- the table ----------------------------------------------------------------------------

  Verdict verdict_of(const Names& names) const {
    const auto commits = times(names, Signal::kMessageCommitted);
    if (!commits.empty() && was_absent(names)) return Verdict::kRecovered;
    if (!commits.empty()) return of_committed(names, commits.front());
    const auto receipts = receipt_times(names);
    if (receipts.empty()) return of_unreceipted(names);
    return of_receipted(names, receipts.front());
  }

  // Each step of it is told to other tenants too, and every portal's rows of that time are there.
  bool is_of_another(const Names& names) const {
    if (!rows(names).empty() || names.begin()->type != ReferenceType::kPortalMessageId)
      return false;
    for (const LedgerFact* fact : facts_) {
      const auto* step = std::get_if<StepFact>(&fact->fact.what);
      if (step != nullptr && is_own(*step, names) && !is_shared(*fact, step->time)) return false;
    }
    const Instant seen = first_seen(names);
    return each_of(portals_of_world(), [&](auto& p) {
      return has_rows_of(p, seen - p_.post_within - p_.clock_error,
                         seen + p_.confirm_within + p_.clock_error);
    });
  }

  // Lost, missing or in doubt until it was delivered once more, and stored after that.
  bool was_absent(const Names& names) const {
    const auto receipts = receipt_times(names);
    const auto facts = own_facts(names);
    const auto commit = std::find_if(facts.begin(), facts.end(), [](const LedgerFact* fact) {
      return std::get<StepFact>(fact->fact.what).signal == Signal::kMessageCommitted;
    });
    if (receipts.empty() || commit == facts.end()) return false;
    if (!commit_after_receipt(names, *commit)) return false;
    for (const Instant again : delivered_again(names, {facts.begin(), commit}, *commit)) {
      Oracle before = *this;
      before.cut_ = Cut{names, again, *commit};
      before.now_ = again;
      std::erase_if(before.facts_, [&](const LedgerFact* fact) {
        const auto* step = std::get_if<StepFact>(&fact->fact.what);
        return step != nullptr && !is_own(*step, names) && possible_owners(*step).count(names) &&
               (step->time >= again || event_order(*fact) >= event_order(**commit));
      });
      const auto first = before.receipt_times(names);
      if (first.empty()) continue;
      const Verdict verdict = before.of_receipted(names, first.front());
      if (verdict == Verdict::kLost || verdict == Verdict::kMissing ||
          verdict == Verdict::kInDoubt) {
        return true;
      }
    }
    return false;
  }

  bool commit_after_receipt(const Names& names, const LedgerFact* commit) const {
    return of_committed(names, std::get<StepFact>(commit->fact.what).time) ==
           Verdict::kStoredAfterReceipt;
  }

  // What only logs tell that other tenants share has no past (oracle_world.h: is_shared).
  bool is_shared_only(const Names& names) const {
    if (!rows(names).empty()) return false;
    const auto facts = own_facts(names);
    return std::all_of(facts.begin(), facts.end(), [&](const LedgerFact* fact) {
      return is_shared(*fact, std::get<StepFact>(fact->fact.what).time);
    });
  }

  std::vector<Instant> delivered_again(const Names& names,
                                       const std::vector<const LedgerFact*>& before,
                                       const LedgerFact* commit) const {
    std::vector<Instant> out;
    if (is_shared_only(names)) return out;
    const Instant receipt = receipt_times(names).front();
    const Duration apart = p_.again_after + p_.clock_error;
    Instant last = receipt;
    bool retried = false;  // since it failed; these worlds are too short for it to be forgotten
    bool failed = false;
    for (const LedgerFact* fact : before) {
      const auto& [signal, time] = signal_and_time(*fact);
      if (signal == Signal::kMessageSaveFailed) failed = true;
      if (signal == Signal::kMessageSaveFailed) retried = false;
      if (signal == Signal::kMessageRetried) retried = true;
      if (signal == Signal::kMessageSaveFailed || signal == Signal::kMessageRetried) {
        last = std::max(last, time);
      }
      const bool delivers =
          signal == Signal::kMessageReceived || signal == Signal::kMessageAcknowledged;
      if (!delivers || retried || time < last + apart) continue;
      for (const LedgerFact* other : before) {
        const Signal told = signal_and_time(*other).first;
        if (event_order(*other) >= event_order(*fact) || other->agent != fact->agent) continue;
        if (other->fact.source != fact->fact.source) continue;
        if (told == signal || told == Signal::kMessageSaveFailed) out.push_back(time);
      }
    }
    const Instant committed = std::get<StepFact>(commit->fact.what).time;
    for (const Receipt& row : rows(names)) {
      if (!failed || retried || committed < last + apart) break;
      if (!row.confirmed || row.channel == "print" || *row.confirmed < last + apart) continue;
      if (*row.confirmed > committed + p_.grace + p_.clock_error) continue;
      for (const Receipt& other : rows(names)) {
        if (other.portal != row.portal || other.sent != row.sent || !other.confirmed) continue;
        if (other.channel != "print" && *other.confirmed + p_.again_after <= *row.confirmed) {
          out.push_back(*row.confirmed);
        }
      }
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  static std::pair<Signal, Instant> signal_and_time(const LedgerFact& fact) {
    const auto& step = std::get<StepFact>(fact.fact.what);
    return {step.signal, step.time};
  }

  Verdict of_committed(const Names& names, Instant commit) const {
    const auto receipts = receipt_times(names);
    for (const Instant t : times(names, Signal::kMessageAcknowledged)) {
      if (t < commit) return Verdict::kStoredAfterReceipt;  // clock errors are zero in these worlds
    }
    for (const Receipt& row : rows(names)) {
      if (!row.confirmed || row.channel == "print") continue;
      if (*row.confirmed + p_.clock_error + seconds(1) < commit)
        return Verdict::kStoredAfterReceipt;
    }
    if (!receipts.empty()) return Verdict::kStored;
    if (printed(names) || !times(names, Signal::kMessageRejected).empty()) return Verdict::kStored;
    if (names.begin()->type != ReferenceType::kPortalMessageId) return Verdict::kStored;
    const auto sent = sent_of(names);
    const Instant since = sent ? *sent : first_seen(names);
    if (now_ < since + p_.confirm_within) return Verdict::kStored;
    const Instant from = sent ? since : since - p_.look_before;
    const auto its = rows(names);
    const bool known = its.empty() ? each_of(portals_of_world(),
                                             [&](auto& p) { return has_rows_of(p, from, since); })
                                   : is_told_of(its, since, since + p_.confirm_within);
    return known ? Verdict::kUnreceipted : Verdict::kStored;
  }

  Verdict of_unreceipted(const Names& names) const {
    const auto refusals = times(names, Signal::kMessageRejected);
    if (!refusals.empty() || printed(names)) return of_fallback(names, refusals);
    std::optional<Instant> unclear;
    for (const LedgerFact* fact : facts_) {
      const auto* step = std::get_if<StepFact>(&fact->fact.what);
      if (step == nullptr || step->signal != Signal::kMessageAcknowledged) continue;
      if (possible_owners(*step).count(names) && (!unclear || step->time < *unclear)) {
        unclear = step->time;
      }
    }
    if (unclear) return now_ < *unclear + p_.grace ? Verdict::kPending : Verdict::kUnverifiable;
    const auto sent = sent_of(names);
    const auto own = own_steps(names);
    if (!sent && own.empty()) return Verdict::kPending;
    const Instant since = sent ? *sent : first_seen(names);
    if (now_ < since + p_.confirm_within) return Verdict::kPending;
    if (is_told_of(rows(names), since, since + p_.confirm_within)) return Verdict::kUndelivered;
    if (sources_that_observe(Signal::kMessageAcknowledged, names).empty())
      return Verdict::kUnverifiable;
    const Read read = read_throughout(Signal::kMessageAcknowledged, names,
                                      {since, since + p_.confirm_within}, std::nullopt);
    return read == Read::kAll ? Verdict::kUndelivered : Verdict::kUnverifiable;
  }

  Verdict of_fallback(const Names& names, const std::vector<Instant>& refusals) const {
    const auto its = rows(names);
    for (const Receipt& row : its) {
      if (row.channel == "print" && row.confirmed) return Verdict::kFallback;
    }
    const auto sent = sent_of(names);
    if (refusals.empty() && !sent && own_steps(names).empty()) {
      return Verdict::kUnverifiable;
    }
    Instant since = sent ? *sent : Instant{};
    if (!refusals.empty()) {
      since = *std::min_element(refusals.begin(), refusals.end());
    } else if (!sent) {
      since = first_seen(names);
    }
    const Instant out_of_time = since + p_.post_within;
    if (now_ < out_of_time) return Verdict::kFallback;
    const bool has_portal_id = names.begin()->type == ReferenceType::kPortalMessageId;
    bool told = false;
    if (!its.empty()) {
      told = is_told_of(its, sent ? *sent : since, out_of_time);
    } else if (has_portal_id) {
      const Instant earliest = first_seen(names) - p_.look_before;
      told = each_of(portals_of_world(),
                     [&](auto& p) { return is_told_by(p, earliest, out_of_time); });
    }
    return told ? Verdict::kFallbackStalled : Verdict::kUnverifiable;
  }

  Verdict of_receipted(const Names& names, Instant receipt) const {
    if (now_ < receipt + p_.grace) return Verdict::kPending;
    if (may_be_its(names, Signal::kMessageCommitted, true)) return Verdict::kUnverifiable;
    if (own_steps(names).empty() && is_newest_by_hand(names)) return Verdict::kUnverifiable;
    const bool logs_commits = !sources_that_observe(Signal::kMessageCommitted, names).empty();
    const Signal decisive = logs_commits ? Signal::kMessageCommitted : Signal::kMessageSaveFailed;
    if (sources_that_observe(decisive, names).empty()) return Verdict::kUnverifiable;
    const auto failures = times(names, Signal::kMessageSaveFailed);
    const auto retries = times(names, Signal::kMessageRetried);
    if (!logs_commits && !retries.empty() &&
        (failures.empty() || failures.back() <= retries.back())) {
      return Verdict::kUnverifiable;
    }
    Instant end = receipt;
    if (!failures.empty()) end = std::max(end, failures.back());
    if (!retries.empty()) end = std::max(end, retries.back());
    end = end + p_.grace;
    if (!failures.empty()) {
      Instant from = failures.front();
      const auto received = times(names, Signal::kMessageReceived);
      if (!received.empty()) from = std::min(from, received.front());
      const Duration more = widening(names);
      if (read_throughout(decisive, names, {from - more, end + more}, std::nullopt) != Read::kAll) {
        return Verdict::kUnverifiable;
      }
      for (const StepFact* step : own_steps(names)) {
        if (step->signal == Signal::kMessageSaveFailed && step->outcome == Outcome::kUnknown) {
          return Verdict::kInDoubt;
        }
      }
      return Verdict::kLost;
    }
    return of_silent(names, receipt, end, decisive);
  }

  Verdict of_silent(const Names& names, Instant receipt, Instant end, Signal decisive) const {
    const auto received = times(names, Signal::kMessageReceived);
    const bool failure = may_be_its(names, Signal::kMessageSaveFailed, true);
    const Duration more = widening(names);
    const Instant begins = receipt - std::min(p_.look_before, p_.grace) - more;
    const Read read =
        received.empty() ? read_throughout(decisive, names,
                                           {receipt - p_.look_before - more, end + more}, begins)
                         : read_throughout(decisive, names,
                                           {std::min(receipt, received.front()) - more, end + more},
                                           std::nullopt);
    if (read == Read::kNotYet && !failure && times(names, Signal::kMessageRetried).empty() &&
        now_ < end + more + p_.report_within) {
      return Verdict::kPending;
    }
    if (read != Read::kAll) return Verdict::kUnverifiable;
    if (decisive == Signal::kMessageCommitted) return Verdict::kMissing;
    return failure ? Verdict::kUnverifiable : Verdict::kNoFailureSeen;
  }
};

}  // namespace meldevakt::collector::testing
