#include <algorithm>
#include <utility>
#include <variant>

#include "collector/correlate/correlator_state.h"
#include "common/base/check.h"

namespace meldevakt::collector {
namespace {

// Of two contents of one id: the higher revision; else, whatever the order of arrival, the same.
bool replaces(const LedgerFact& added, const LedgerFact& kept) {
  if (added.fact.revision != kept.fact.revision) return added.fact.revision > kept.fact.revision;
  if (const auto order = added.fact <=> kept.fact; order != 0) return order > 0;
  return added.agent < kept.agent;
}

}  // namespace

Status Correlator::State::add(const LedgerFact& fact) {
  MELDEVAKT_CHECK(!std::holds_alternative<Receipt>(fact.fact.what) &&
                  !std::holds_alternative<ReceiptCoverage>(fact.fact.what));
  MELDEVAKT_TRY(check_storable(fact));
  if (const auto known = archive_.find_fact(fact.fact.id)) {
    if (!replaces(fact, archive_.fact(*known))) return {};
    detach(*known);
    archive_.set_fact(*known, fact);
    attach(*known);
    return {};
  }
  attach(archive_.add_fact(fact));
  return {};
}

Status Correlator::State::add(const Receipt& row, const RowTelling& telling) {
  MELDEVAKT_TRY(check_storable(row));
  if (archive_.add_row(row, telling)) {
    if (portals_.add_portal(row.portal)) disturb_all_unsettled();
    touch(archive_.name_of({ReferenceType::kPortalMessageId, row.message_id}));
  }
  return {};
}

void Correlator::State::add(const LedgerCoverage& claim) {
  const CoverageMap::Change change = coverage_.add(claim);
  if (change.everything) disturb_all_unsettled();
  if (!change.everything) {
    // A clock of the reader's, one of those that told the times, and the portal's; what errs by
    // more stands in what each is sensitive to (judge.cpp).
    const Duration ordinary = ClockErrors::kOrdinary + ClockErrors::kStep;
    const Duration more = policy_.clock_error + ordinary + ordinary;
    for (const Interval& stretch : change.stretches) {
      disturb({stretch.from - more, stretch.to + more});
    }
  }
  for (const Interval& shared : change.shared) {
    lives_.find(shared, [this](std::uint32_t name) { dirty_.push_back(name); });
  }
  if (change.clock) doubt_order();
  for (const Interval& hours : change.clock_hours) doubt_order_in(hours);
}

// Two clocks that may both err by an ordinary error, and the portal's; a receipt is a second late
// at most for being cut (signs.cpp). With an error that is no ordinary one its hours are looked at.
void Correlator::State::doubt_order() {
  const Duration ordinary = coverage_.clock_errors().ordinary();
  const Duration reach = policy_.clock_error + ordinary + ordinary + seconds(1);
  for (std::uint32_t name = 0; name < archive_.name_count(); ++name) {
    const std::uint8_t apart = archive_.name(name).across_clocks;
    if (apart != 0 && milliseconds(kAcrossStep.ms * (apart - 1)) <= reach) dirty_.push_back(name);
  }
  for (const Interval& hours : coverage_.clock_errors().large()) doubt_order_in(hours);
}

void Correlator::State::doubt_order_in(const Interval& hours) {
  lives_.find(hours, [this](std::uint32_t name) {
    if (archive_.name(name).across_clocks != 0) dirty_.push_back(name);
  });
}

void Correlator::State::add(const ReceiptCoverage& claim) {
  for (const Interval& added : portals_.add(claim)) disturb(added);
}

void Correlator::State::set_unused(std::vector<UnusedSource> unused) {
  if (unused == unused_) return;
  unused_ = std::move(unused);
  coverage_.set_unused(unused_);
  disturb_all_unsettled();
}

void Correlator::State::set_portal_uses(std::vector<PortalUse> uses) {
  if (uses == portal_uses_) return;
  portal_uses_ = std::move(uses);
  portals_.set_uses(portal_uses_);
  disturb_all_unsettled();
}

void Correlator::State::set_policy(Policy policy) {
  policy_ = std::move(policy);
  disturb_everyone();
}

void Correlator::State::attach(std::uint32_t slot) {
  if (const LedgerFact* const plain = archive_.plain(slot); plain != nullptr) {
    const auto& what = std::get<WindowFact>(plain->fact.what);
    window_slots_.insert(slot);
    windows_.add(slot, what.span);
    disturb_windows(what.span);
    return;
  }
  const std::vector<std::uint32_t> names = archive_.references_of(slot);
  if (!names.empty()) return attach_named(slot, names);
  if (archive_.is_alias(slot) || !is_message_signal(archive_.signal_of(slot))) return;
  const std::vector<std::uint32_t> candidates = archive_.candidates_of(slot);
  if (candidates.empty()) return move_nameless(slot, true);
  for (const std::uint32_t name : candidates) {
    std::vector<std::uint32_t>& slots = mentions_[name];
    if (slots.empty() || slots.back() != slot) slots.push_back(slot);
    touch(name);
  }
}

void Correlator::State::attach_named(std::uint32_t slot, const std::vector<std::uint32_t>& names) {
  archive_.link(names.front(), slot);
  for (const std::uint32_t name : names) {
    archive_.tie(names.front(), name);
    touch(name);
  }
}

void Correlator::State::detach(std::uint32_t slot) {
  if (const LedgerFact* const plain = archive_.plain(slot); plain != nullptr) {
    window_slots_.erase(slot);
    disturb_windows(std::get<WindowFact>(plain->fact.what).span);
    return;
  }
  const std::vector<std::uint32_t> names = archive_.references_of(slot);
  if (!names.empty()) {
    archive_.unlink(names.front(), slot);
    if (names.size() > 1) retie_.push_back(names.front());
    for (const std::uint32_t name : names) touch(name);
    return;
  }
  if (archive_.is_alias(slot) || !is_message_signal(archive_.signal_of(slot))) return;
  const std::vector<std::uint32_t> candidates = archive_.candidates_of(slot);
  if (candidates.empty()) return move_nameless(slot, false);
  for (const std::uint32_t name : candidates) {
    std::erase(mentions_[name], slot);
    touch(name);
  }
}

void Correlator::State::move_nameless(std::uint32_t slot, bool in) {
  const Signal signal = archive_.signal_of(slot);
  if (signal != Signal::kMessageCommitted && signal != Signal::kMessageSaveFailed) return;
  auto& steps = signal == Signal::kMessageCommitted ? nameless_.commits : nameless_.failures;
  const Instant time = archive_.time_of(slot);
  const Duration error = archive_.time_error_of(slot);
  const NamelessKey key{time, archive_.id_of(slot), slot};
  if (in) {
    steps.insert(key);
    if (error > Duration{}) nameless_.in_doubt.insert(slot);
  } else {
    steps.erase(key);
    nameless_.in_doubt.erase(slot);
  }
  disturb({time - error, time + error});
}

void Correlator::State::disturb(const Interval& span) {
  sensitive_.find(span, [&](std::uint32_t name) {
    const auto at = unsettled_.find(name);
    if (at == unsettled_.end()) return;
    const std::optional<Interval>& its = at->second.sensitive;
    if (its && its->from <= span.to && span.from <= its->to) dirty_.push_back(name);
  });
}

void Correlator::State::disturb_windows(const Interval& span) {
  lives_.find(span, [this](std::uint32_t name) { dirty_.push_back(name); });
}

void Correlator::State::disturb_all_unsettled() {
  all_unsettled_ = true;
}

void Correlator::State::disturb_everyone() {
  for (std::uint32_t name = 0; name < archive_.name_count(); ++name) dirty_.push_back(name);
}

}  // namespace meldevakt::collector
