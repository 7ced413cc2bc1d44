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
  const auto [error, first] = clock_errors_.try_emplace(claim.agent, claim.clock_error);
  if (first ? claim.clock_error > Duration{} : claim.clock_error > error->second) {
    error->second = claim.clock_error;
    change.clock = true;
    largest_clock_error_ = std::max(largest_clock_error_, claim.clock_error);
  }
  Source& source = sources_[{claim.agent, claim.source.id}];
  for (const EventGap& gap : claim.source.event_gaps) source.gaps.add(gap.span);
  for (std::size_t i = 0; i < kAsked.size(); ++i) {
    const bool observes = observes_signal(claim.source, kAsked[i]);
    if (observes && !source.slots[i].observed) {
      source.slots[i].observed = true;
      ++observers_[i];
      change.everything = true;
    }
    add_to_slot(source.slots[i], source, claim.source, observes, change);
  }
  return change;
}

bool CoverageMap::observed(Signal signal) const {
  return observers_[slot_of(signal)] > 0;
}

std::optional<Hole> CoverageMap::first_hole(Signal signal, const Need& need) const {
  std::optional<Hole> later;
  const std::size_t i = slot_of(signal);
  for (const auto& [key, source] : sources_) {
    if (!source.slots[i].observed) continue;
    const IntervalSet& read = source.slots[i].read;
    Interval span = need.span;
    if (need.clip_until && !read.empty() && read.front() <= *need.clip_until) {
      span.from = std::max(span.from, read.front());
    }
    const auto missing = read.first_missing(span);
    if (!missing) continue;
    const bool never = read.empty();
    const bool not_yet = !never && read.back() <= missing->from;
    Hole hole{key.first, key.second, *missing, not_yet, never};
    if (!not_yet) return hole;
    if (!later) later = std::move(hole);
  }
  return later;
}

Duration CoverageMap::clock_error(const std::string& agent) const {
  const auto at = clock_errors_.find(agent);
  return at == clock_errors_.end() ? Duration{} : at->second;
}

}  // namespace meldevakt::collector
