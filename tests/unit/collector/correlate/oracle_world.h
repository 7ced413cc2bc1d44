// What the oracle (oracle.h) knows of a world: who is who, what was read, what the portals' rows
// say; without a thought of cost. Thread-safety: none.
#pragma once

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/unit/collector/correlate/small_world.h"

namespace meldevakt::collector::testing {

class OracleWorld {
 public:
  OracleWorld(const TenantInput& world, Instant now) : w_{world}, p_{world.policy}, now_{now} {
    for (const LedgerFact& fact : w_.facts) {
      const bool outdone = std::any_of(w_.facts.begin(), w_.facts.end(), [&](const auto& other) {
        return other.fact.id == fact.fact.id && other.fact.revision > fact.fact.revision;
      });
      if (outdone) continue;
      const bool there = std::any_of(facts_.begin(), facts_.end(), [&](const LedgerFact* have) {
        return have->fact.id == fact.fact.id;
      });
      if (!there) facts_.push_back(&fact);
    }
    merge_names();
  }

 protected:
  using Names = std::set<Reference>;
  using Steps = std::vector<const StepFact*>;

  // --- who is who ---------------------------------------------------------------------------

  static std::vector<Reference> tied(const Fact& fact) {
    if (const auto* step = std::get_if<StepFact>(&fact.what)) return step->references;
    if (const auto* alias = std::get_if<AliasFact>(&fact.what)) return alias->references;
    return {};
  }

  void merge_names() {
    for (const LedgerFact* fact : facts_) {
      for (const Reference& r : tied(fact->fact)) islands_.push_back({r});
      if (const auto* step = std::get_if<StepFact>(&fact->fact.what)) {
        for (const Reference& r : step->candidates) islands_.push_back({r});
      }
      const auto together = tied(fact->fact);
      islands_.push_back({together.begin(), together.end()});
    }
    for_each_row(w_, [this](const Receipt& row) {
      islands_.push_back({{ReferenceType::kPortalMessageId, row.message_id}});
    });
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t i = 0; i < islands_.size() && !changed; ++i) {
        for (std::size_t j = i + 1; j < islands_.size() && !changed; ++j) {
          const bool meet = std::any_of(islands_[i].begin(), islands_[i].end(),
                                        [&](const Reference& r) { return islands_[j].count(r); });
          if (!meet) continue;
          islands_[i].insert(islands_[j].begin(), islands_[j].end());
          islands_.erase(islands_.begin() + static_cast<std::ptrdiff_t>(j));
          changed = true;
        }
      }
    }
  }

  static Names portals_of(const Names& island) {
    Names out;
    for (const Reference& r : island) {
      if (r.type == ReferenceType::kPortalMessageId) out.insert(r);
    }
    return out;
  }

  // A message is an island; an island with several portal ids is as many messages.
  std::vector<Names> messages() const {
    std::vector<Names> out;
    for (const Names& island : islands_) {
      if (island.empty()) continue;
      const Names portals = portals_of(island);
      if (portals.size() < 2) out.push_back(island);
      if (portals.size() < 2) continue;
      for (const Reference& r : portals) out.push_back({r});
    }
    return out;
  }

  std::vector<Names> whose_can_be(const Reference& reference) const {
    for (const Names& island : islands_) {
      if (!island.count(reference)) continue;
      const Names portals = portals_of(island);
      if (portals.size() < 2) return {island};
      if (portals.count(reference)) return {{reference}};
      std::vector<Names> out;
      for (const Reference& r : portals) out.push_back({r});
      return out;
    }
    return {};
  }

  std::set<Names> possible_owners(const StepFact& step) const {
    std::set<Names> out;
    std::vector<Reference> by = step.references.empty() ? step.candidates : step.references;
    const Names portals = portals_of({by.begin(), by.end()});
    if (!step.references.empty() && !portals.empty()) by.assign(portals.begin(), portals.end());
    for (const Reference& r : by) {
      for (const Names& names : whose_can_be(r)) out.insert(names);
    }
    return out;
  }

  bool is_own(const StepFact& step, const Names& names) const {
    if (step.references.empty() && step.candidates.size() < 2) return false;
    return possible_owners(step) == std::set<Names>{names};
  }

  Steps own_steps(const Names& names) const {
    Steps out;
    for (const LedgerFact* fact : facts_) {
      const auto* step = std::get_if<StepFact>(&fact->fact.what);
      if (step == nullptr || !is_own(*step, names)) continue;
      if (!is_cut(names, step->time) &&
          (!cut_ || cut_->names != names || is_before_commit(*fact))) {
        out.push_back(step);
      }
    }
    return out;
  }

  // --- before it was delivered again ----------------------------------------------------------

  struct Cut {  // nothing of that message from `again` on, and nothing from its commit on
    Names names;
    Instant again;
    const LedgerFact* commit;
  };
  std::optional<Cut> cut_;

  bool is_cut(const Names& names, Instant time) const {
    return cut_ && cut_->names == names && time >= cut_->again;
  }
  static auto event_order(const LedgerFact& fact) {
    const auto& step = std::get<StepFact>(fact.fact.what);
    return std::tuple{step.time, step.signal, fact.fact.id};
  }
  bool is_before_commit(const LedgerFact& fact) const {
    return event_order(fact) < event_order(*cut_->commit);
  }
  // Its own, in event order.
  std::vector<const LedgerFact*> own_facts(const Names& names) const {
    std::vector<const LedgerFact*> out;
    for (const LedgerFact* fact : facts_) {
      const auto* step = std::get_if<StepFact>(&fact->fact.what);
      if (step != nullptr && is_own(*step, names)) out.push_back(fact);
    }
    std::sort(out.begin(), out.end(), [](const LedgerFact* a, const LedgerFact* b) {
      return event_order(*a) < event_order(*b);
    });
    return out;
  }

  // --- what portals say of one ----------------------------------------------------------------

  // At some telling its times did not lie more than ten minutes ahead, and a day and ten minutes
  // at none.
  bool is_right(const Receipt& row) const {
    bool right = std::count(w_.receipts.begin(), w_.receipts.end(), row) != 0;
    for (const RowAhead& told : w_.rows_ahead) {
      if (told.row != row) continue;
      const Duration ahead =
          std::max(row.sent.value_or(told.told), row.confirmed.value_or(told.told)) - told.told;
      if (ahead > hours(24) + minutes(10)) return false;
      right = right || ahead <= minutes(10);
    }
    return right;
  }

  // Of each portal those that are right; where none is, all of them.
  std::vector<Receipt> rows(const Names& names) const {
    std::vector<Receipt> all;
    std::set<std::string> right;  // portals
    for_each_row(w_, [&](const Receipt& row) {
      if (!names.count({ReferenceType::kPortalMessageId, row.message_id})) return;
      if (!row.confirmed || !is_cut(names, *row.confirmed)) all.push_back(row);
      if (is_right(row)) right.insert(row.portal);
    });
    std::erase_if(all,
                  [&](const Receipt& row) { return right.count(row.portal) && !is_right(row); });
    return all;
  }

  // --- what is known of one -----------------------------------------------------------------

  std::vector<Instant> times(const Names& names, Signal signal) const {
    std::vector<Instant> out;
    for (const StepFact* step : own_steps(names)) {
      if (step->signal == signal) out.push_back(step->time);
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  std::vector<Instant> receipt_times(const Names& names) const {
    std::vector<Instant> out = times(names, Signal::kMessageAcknowledged);
    for (const Receipt& row : rows(names)) {
      if (row.confirmed && row.channel != "print") out.push_back(*row.confirmed);
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  // The portal's clock and the agents' may differ by so much; the agents' own errors are zero here.
  Duration widening(const Names& names) const {
    for (const Receipt& row : rows(names)) {
      if (row.confirmed && row.channel != "print") return p_.clock_error;
    }
    return {};
  }

  bool may_be_its(const Names& names, Signal signal, bool nameless_too) const {
    std::vector<Instant> near = receipt_times(names);
    for (const StepFact* step : own_steps(names)) near.push_back(step->time);
    for (const LedgerFact* fact : facts_) {
      const auto* step = std::get_if<StepFact>(&fact->fact.what);
      if (step == nullptr || step->signal != signal || is_own(*step, names)) continue;
      const auto owners = possible_owners(*step);
      if (owners.count(names)) return true;
      if (!owners.empty() || !nameless_too) continue;
      for (const Instant t : near) {
        if (std::abs((step->time - t).ms) <= p_.nearby.ms) return true;
      }
    }
    return false;
  }

  // --- coverage -----------------------------------------------------------------------------

  // Whether the source can name a message by one of these.
  bool can_name(const std::pair<std::string, std::string>& source, const Names& names) const {
    for (const LedgerCoverage& claim : w_.coverage) {
      if (claim.agent != source.first || claim.source.id != source.second) continue;
      if (claim.source.names.empty()) return true;
      for (const ReferenceType type : claim.source.names) {
        for (const Reference& name : names) {
          if (name.type == type) return true;
        }
      }
    }
    return false;
  }

  std::set<std::pair<std::string, std::string>> sources_that_observe(Signal signal,
                                                                     const Names& names) const {
    std::set<std::pair<std::string, std::string>> out;
    for (const LedgerCoverage& claim : w_.coverage) {
      for (const Observed& o : claim.source.observes) {
        const std::pair source{claim.agent, claim.source.id};
        if (o.signal == signal && can_name(source, names)) out.insert(source);
      }
    }
    return out;
  }

  bool was_read(const std::pair<std::string, std::string>& source, Signal signal, Instant t) const {
    bool read = false;
    for (const LedgerCoverage& claim : w_.coverage) {
      if (claim.agent != source.first || claim.source.id != source.second) continue;
      for (const EventGap& gap : claim.source.event_gaps) {
        if (gap.span.contains(t)) return false;
      }
      for (const Observed& o : claim.source.observes) {
        if (o.signal == signal && claim.source.complete && claim.source.complete->contains(t)) {
          read = true;
        }
      }
    }
    return read;
  }

  enum class Read { kAll, kNotYet, kHole };
  Read read_throughout(Signal signal, const Names& names, const Interval& span,
                       std::optional<Instant> clip) const {
    const auto& [from, to] = span;
    Read out = Read::kAll;
    for (const auto& source : sources_that_observe(signal, names)) {
      std::optional<Instant> begins;
      std::optional<Instant> ends;
      for (int s = -300; s < 300; ++s) {
        if (!was_read(source, signal, at(s))) continue;
        if (!begins) begins = at(s);
        ends = at(s + 1);
      }
      Instant start = from;
      if (clip && begins && *begins <= *clip) start = std::max(start, *begins);
      for (Instant t = start; t < to; t = t + seconds(1)) {
        if (was_read(source, signal, t)) continue;
        const bool not_yet = ends && *ends <= t;
        if (!not_yet) out = Read::kHole;
        if (not_yet && out == Read::kAll) out = Read::kNotYet;
        break;
      }
    }
    return out;
  }

  // --- the portals' rows --------------------------------------------------------------------

  // A list that holds it, made when its time was out.
  static bool is_told_at(const ReceiptCoverage& list, Instant sent, Instant at) {
    return list.span.contains(sent) && at <= list.span.to;
  }

  bool is_shared(const LedgerFact& fact, Instant time) const {
    return std::any_of(w_.coverage.begin(), w_.coverage.end(), [&](const LedgerCoverage& claim) {
      const auto holds = [time](const Interval& span) {
        return !span.empty() && span.from <= time && time <= span.to;
      };
      return claim.source.shared && claim.agent == fact.agent &&
             claim.source.id == fact.fact.source &&
             (holds(claim.span) || holds(*claim.source.complete));
    });
  }

  bool is_told_by(const std::string& portal, Instant sent, Instant at) const {
    return std::any_of(w_.receipt_coverage.begin(), w_.receipt_coverage.end(),
                       [&](const ReceiptCoverage& list) {
                         return list.portal == portal && is_told_at(list, sent, at);
                       });
  }

  // By each portal that has a row of it.
  template <typename Rows>
  bool is_told_of(const Rows& its, Instant sent, Instant at) const {
    std::set<std::string> portals;
    for (const Receipt& row : its) portals.insert(row.portal);
    return each_of(portals, [&](auto& portal) { return is_told_by(portal, sent, at); });
  }

  template <typename Question>
  static bool each_of(const std::set<std::string>& portals, const Question& question) {
    return !portals.empty() && std::all_of(portals.begin(), portals.end(), question);
  }

  std::set<std::string> portals_of_world() const {
    std::set<std::string> out;
    for_each_row(w_, [&out](const Receipt& row) { out.insert(row.portal); });
    for (const ReceiptCoverage& list : w_.receipt_coverage) {
      if (!list.span.empty()) out.insert(list.portal);
    }
    return out;
  }

  // Lists that touch are one: each second of it stands in some list of that portal.
  bool has_rows_of(const std::string& portal, Instant from, Instant to) const {
    for (Instant t = from; t <= to; t = t + seconds(1)) {
      const bool any = std::any_of(w_.receipt_coverage.begin(), w_.receipt_coverage.end(),
                                   [&](const ReceiptCoverage& list) {
                                     return list.portal == portal && list.span.contains(t);
                                   });
      if (!any) return false;
    }
    return true;
  }

  std::optional<Instant> sent_of(const Names& names) const {
    std::optional<Instant> out;
    for (const Receipt& row : rows(names)) {
      if (row.sent && (!out || *row.sent < *out)) out = row.sent;
    }
    return out;
  }

  Instant first_seen(const Names& names) const {
    Instant out = own_steps(names).front()->time;
    for (const StepFact* step : own_steps(names)) out = std::min(out, step->time);
    return out;
  }

  const TenantInput& w_;
  const Policy& p_;
  Instant now_;
  std::vector<const LedgerFact*> facts_;
  std::vector<Names> islands_;
};

}  // namespace meldevakt::collector::testing
