#include "collector/correlate/coverage_map.h"

#include <algorithm>

#include "common/base/check.h"

namespace meldevakt::collector {
namespace {

bool observes_signal(const SourceCoverage& source, Signal signal) {
  return std::any_of(source.observes.begin(), source.observes.end(),
                     [signal](const Observed& observed) { return observed.signal == signal; });
}

// Where a source's coverage begins and ends decides what is asked of it and whether more may come.
void note_moved_ends(const IntervalSet& read, Instant front, Instant back,
                     CoverageMap::Change& change) {
  if (read.front() != front) {
    change.stretches.push_back({front, front});
    change.stretches.push_back({read.front(), read.front()});
  }
  if (read.back() != back) {
    change.stretches.push_back({std::min(back, read.back()), std::max(back, read.back())});
  }
}

Interval hull(const Interval& a, const Interval& b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  return {std::min(a.from, b.from), std::max(a.to, b.to)};
}

}  // namespace

std::size_t CoverageMap::slot_of(Signal signal) {
  const auto at = std::find(kAsked.begin(), kAsked.end(), signal);
  MELDEVAKT_CHECK(at != kAsked.end());
  return static_cast<std::size_t>(at - kAsked.begin());
}

void CoverageMap::add_to_slot(Slot& slot, const Source& source, const SourceCoverage& claim,
                              bool observes, Change& change) {
  const bool was_empty = slot.read.empty();
  const Instant front = was_empty ? Instant{} : slot.read.front();
  const Instant back = was_empty ? Instant{} : slot.read.back();
  bool changed = false;
  for (const EventGap& gap : claim.event_gaps) {
    if (!slot.read.remove(gap.span)) continue;
    changed = true;
    change.stretches.push_back(gap.span);
  }
  if (observes && claim.complete) {
    // Only what is new: a log that is read again from its beginning changes nothing of the rest.
    const std::vector<Interval> added = slot.read.missing(*claim.complete);
    changed = changed || !added.empty();
    change.stretches.insert(change.stretches.end(), added.begin(), added.end());
    slot.read.add(*claim.complete);
    for (const Interval& gap : source.gaps.overlapping(*claim.complete)) slot.read.remove(gap);
  }
  if (!changed) return;
  if (was_empty != slot.read.empty()) {
    change.everything = true;  // "never read" is told of holes anywhere
  } else if (!was_empty) {
    note_moved_ends(slot.read, front, back, change);
  }
}

CoverageMap::Change CoverageMap::add(const LedgerCoverage& claim) {
  Change change;
  const Interval told = hull(claim.span, claim.source.complete.value_or(claim.span));
  const ClockErrors::Change clock = clock_errors_.add(claim.agent, told, claim.clock_error);
  change.clock = clock.grew;
  change.everything = clock.everywhere;
  change.clock_hours = clock.where;
  change.stretches = clock.where;
  Source& source = sources_[{claim.agent, claim.source.id}];
  const ReferenceTypes names_before = source.names;
  const bool all_before = source.names_all;
  for (const ReferenceType type : claim.source.names) source.names.add(type);
  source.names_all = source.names_all || claim.source.names.empty();
  if (source.names != names_before || source.names_all != all_before) change.everything = true;
  if (claim.source.shared) {
    for (const Interval& part : {claim.span, claim.source.complete.value_or(claim.span)}) {
      if (part.empty()) continue;
      const Interval both_ends{part.from, part.to + milliseconds(1)};
      for (const Interval& added : source.shared.missing(both_ends)) change.shared.push_back(added);
      source.shared.add(both_ends);
    }
  }
  for (const EventGap& gap : claim.source.event_gaps) source.gaps.add(gap.span);
  for (std::size_t i = 0; i < kAsked.size(); ++i) {
    const bool observes = observes_signal(claim.source, kAsked[i]);
    if (observes && !source.slots[i].observed) {
      source.slots[i].observed = true;
      change.everything = true;
    }
    add_to_slot(source.slots[i], source, claim.source, observes, change);
  }
  return change;
}

bool CoverageMap::is_shared(const std::string& agent, const std::string& source,
                            Instant time) const {
  const auto known = sources_.find({agent, source});
  return known != sources_.end() && !known->second.shared.empty() &&
         !known->second.shared.first_missing({time, time + milliseconds(1)});
}

bool CoverageMap::observed(Signal signal, ReferenceTypes names) const {
  const std::size_t i = slot_of(signal);
  return std::any_of(sources_.begin(), sources_.end(),
                     [&](const auto& at) { return is_asked(at.second, i, names); });
}

Duration CoverageMap::widening(const std::string& agent, const Need& need, Instant end) const {
  if (!need.clocks) return {};
  const TellingClocks& clocks = *need.clocks;
  const Duration own = clock_errors_.widest(agent, {end, end});
  if (agent != clocks.agent)
    return std::max(clocks.error, clocks.others.value_or(Duration{})) + own;
  // Two times of one clock are compared as they are.
  return clocks.others ? *clocks.others + own : Duration{};
}

Duration CoverageMap::widest_at_end(Signal signal, const Need& need) const {
  Duration out;
  for (const auto& [key, source] : sources_) {
    if (!is_asked(source, slot_of(signal), need.names)) continue;
    out = std::max(out, widening(key.first, need, need.span.to));
  }
  return out;
}

Interval CoverageMap::asked_part(const SourceKey& key, Interval span) const {
  for (const UnusedSource& unused : unused_) {
    const bool its =
        unused.agent == key.first && (unused.source.empty() || unused.source == key.second);
    if (!its || span.to <= unused.span.from || unused.span.to <= span.from) continue;
    if (span.from < unused.span.from) {
      span.to = unused.span.from;
    } else {
      span.from = std::min(unused.span.to, span.to);
    }
  }
  return span;
}

std::optional<Hole> CoverageMap::first_hole(Signal signal, const Need& need) const {
  std::optional<Hole> later;
  IntervalSet asked;  // by anybody; kept only where somebody is not
  Hole unasked;
  const std::size_t i = slot_of(signal);
  for (const auto& [key, source] : sources_) {
    if (!is_asked(source, i, need.names)) continue;
    const IntervalSet& read = source.slots[i].read;
    const Duration before = widening(key.first, need, need.span.from);
    const Duration after = widening(key.first, need, need.span.to);
    Interval span{need.span.from - before, need.span.to + after};
    if (!unused_.empty()) {
      span = asked_part(key, span);
      asked.add(span);
      unasked.agent = key.first;
      unasked.source = key.second;
      if (span.empty()) continue;
    }
    if (need.clip_until && !read.empty() && read.front() <= *need.clip_until - before) {
      span.from = std::max(span.from, read.front());
    }
    const auto missing = read.first_missing(span);
    if (!missing) continue;
    const bool never = read.empty();
    const bool not_yet = !never && read.back() <= missing->from;
    Hole hole{key.first, key.second, *missing, not_yet, never, never ? Instant{} : read.back()};
    if (!not_yet) return hole;
    if (!later) later = std::move(hole);
  }
  if (unused_.empty() || unasked.source.empty()) return later;
  const auto nobodys = asked.first_missing(need.span);
  if (!nobodys) return later;
  unasked.stretch = *nobodys;
  return unasked;
}

Instant CoverageMap::asked_from(Signal signal, const Need& need) const {
  Instant out = need.span.from;
  if (!need.clip_until) return out;
  const std::size_t i = slot_of(signal);
  for (const auto& [key, source] : sources_) {
    if (!is_asked(source, i, need.names) || source.slots[i].read.empty()) continue;
    const Instant begins = source.slots[i].read.front();
    if (begins <= *need.clip_until) out = std::max(out, begins);
  }
  return out;
}

CoverageMap coverage_of(const TenantInput& input) {
  CoverageMap out{input.coverage};
  out.set_unused(input.unused);
  return out;
}

}  // namespace meldevakt::collector
