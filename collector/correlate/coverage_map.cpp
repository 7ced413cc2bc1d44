#include "collector/correlate/coverage_map.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "common/base/check.h"

namespace meldevakt::collector {
namespace {

// Sorted, without empty ones, and touching ones joined.
std::vector<Interval> joined(std::vector<Interval> intervals) {
  std::sort(intervals.begin(), intervals.end());
  std::vector<Interval> out;
  for (const Interval& next : intervals) {
    if (next.empty()) continue;
    if (!out.empty() && next.from <= out.back().to) {
      out.back().to = std::max(out.back().to, next.to);
    } else {
      out.push_back(next);
    }
  }
  return out;
}

// Both as joined() leaves them.
std::vector<Interval> minus(const std::vector<Interval>& whole, const std::vector<Interval>& gaps) {
  std::vector<Interval> out;
  auto gap = gaps.begin();
  for (Interval rest : whole) {
    while (gap != gaps.end() && gap->to <= rest.from) ++gap;
    for (auto in = gap; in != gaps.end() && in->from < rest.to; ++in) {
      if (rest.from < in->from) out.push_back({rest.from, in->from});
      rest.from = std::max(rest.from, in->to);
    }
    if (!rest.empty()) out.push_back(rest);
  }
  return out;
}

bool observes(const SourceCoverage& source, Signal signal) {
  return std::any_of(source.observes.begin(), source.observes.end(),
                     [signal](const Observed& observed) { return observed.signal == signal; });
}

using SourceKey = std::pair<std::string, std::string>;  // agent, source
struct Claims {
  std::array<std::vector<Interval>, CoverageMap::kAsked.size()> complete;
  std::array<bool, CoverageMap::kAsked.size()> observed{};
  std::vector<Interval> gaps;
};

void add_claim(Claims& claims, const SourceCoverage& source) {
  for (std::size_t slot = 0; slot < CoverageMap::kAsked.size(); ++slot) {
    if (!observes(source, CoverageMap::kAsked[slot])) continue;
    claims.observed[slot] = true;
    if (source.complete) claims.complete[slot].push_back(*source.complete);
  }
  for (const EventGap& gap : source.event_gaps) claims.gaps.push_back(gap.span);
}

// The first stretch of `span` that is not in `read`.
std::optional<Interval> first_missing(const std::vector<Interval>& read, const Interval& span) {
  auto at = std::upper_bound(read.begin(), read.end(), span.from,
                             [](Instant t, const Interval& i) { return t < i.to; });
  Interval missing = span;
  if (at != read.end() && at->from <= span.from) {
    missing.from = at->to;
    ++at;
  }
  if (missing.empty()) return std::nullopt;
  if (at != read.end()) missing.to = std::min(missing.to, at->from);
  return missing;
}

}  // namespace

std::size_t CoverageMap::slot_of(Signal signal) {
  const auto at = std::find(kAsked.begin(), kAsked.end(), signal);
  MELDEVAKT_CHECK(at != kAsked.end());
  return static_cast<std::size_t>(at - kAsked.begin());
}

CoverageMap::CoverageMap(const std::vector<LedgerCoverage>& claims) {
  std::map<SourceKey, Claims> by_source;
  for (const LedgerCoverage& claim : claims) {
    add_claim(by_source[{claim.agent, claim.source.id}], claim.source);
    Duration& error = clock_errors_[claim.agent];
    error = std::max(error, claim.clock_error);
  }
  for (auto& [key, all] : by_source) {
    const std::vector<Interval> gaps = joined(std::move(all.gaps));
    for (std::size_t slot = 0; slot < kAsked.size(); ++slot) {
      if (!all.observed[slot]) continue;
      std::vector<Interval> read = minus(joined(std::move(all.complete[slot])), gaps);
      sources_[slot].push_back({key.first, key.second, std::move(read)});
    }
  }
}

bool CoverageMap::observed(Signal signal) const {
  return !sources_[slot_of(signal)].empty();
}

std::optional<Hole> CoverageMap::first_hole(Signal signal, const Need& need) const {
  std::optional<Hole> later;
  for (const Source& source : sources_[slot_of(signal)]) {
    Interval span = need.span;
    if (need.clip_until && !source.read.empty()) {
      const Instant begins = source.read.front().from;
      if (begins <= *need.clip_until) span.from = std::max(span.from, begins);
    }
    const auto missing = first_missing(source.read, span);
    if (!missing) continue;
    const bool never = source.read.empty();
    const bool not_yet = !never && source.read.back().to <= missing->from;
    Hole hole{source.agent, source.name, *missing, not_yet, never};
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
