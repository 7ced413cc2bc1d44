#include "collector/correlate/coverage_query.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "collector/correlate/interval_set.h"

namespace meldevakt::collector {
namespace {

// Who says something of a stretch of time; `word` decides what is said where several do.
template <typename Word>
struct Said {
  Interval span;
  Word word;
};

// Cuts `whole` where what is said changes, and calls use(stretch, words that hold there).
template <typename Word, typename Use>
void sweep(const Interval& whole, const std::vector<Said<Word>>& all, const Use& use) {
  std::map<Instant, std::pair<std::vector<const Word*>, std::vector<const Word*>>> borders;
  borders[whole.from];
  borders[whole.to];
  for (const Said<Word>& said : all) {
    const Interval span{std::max(said.span.from, whole.from), std::min(said.span.to, whole.to)};
    if (span.empty()) continue;
    borders[span.from].first.push_back(&said.word);
    borders[span.to].second.push_back(&said.word);
  }
  std::multiset<Word> holding;
  for (auto at = borders.begin(); at != borders.end(); ++at) {
    for (const Word* word : at->second.second) holding.erase(holding.find(*word));
    for (const Word* word : at->second.first) holding.insert(*word);
    const auto next = std::next(at);
    if (next != borders.end()) use(Interval{at->first, next->first}, holding);
  }
}

// --- event axis

struct EventWord {
  bool gap = false;
  std::string reason;
  PackIdentity pack;
  std::vector<Signal> observes;
  auto operator<=>(const EventWord&) const = default;
};

EventStretch stretch_of(const Interval& span, const std::multiset<EventWord>& words) {
  EventStretch out;
  out.span = span;
  for (const EventWord& word : words) {
    if (word.gap) return {span, ReadState::kGap, word.reason, {}, {}};
    out.state = ReadState::kRead;
    out.packs.push_back(word.pack);
    out.observes.insert(out.observes.end(), word.observes.begin(), word.observes.end());
  }
  std::sort(out.packs.begin(), out.packs.end());
  out.packs.erase(std::unique(out.packs.begin(), out.packs.end()), out.packs.end());
  std::sort(out.observes.begin(), out.observes.end());
  out.observes.erase(std::unique(out.observes.begin(), out.observes.end()), out.observes.end());
  return out;
}

std::vector<EventStretch> events_of(const std::vector<const LedgerCoverage*>& claims,
                                    const Interval& whole) {
  std::vector<Said<EventWord>> said;
  for (const LedgerCoverage* claim : claims) {
    const SourceCoverage& source = claim->source;
    std::vector<Signal> observes;
    for (const Observed& observed : source.observes) observes.push_back(observed.signal);
    if (source.complete) said.push_back({*source.complete, {false, "", source.pack, observes}});
    for (const EventGap& gap : source.event_gaps) {
      said.push_back({gap.span, {true, gap.reason, {}, {}}});
    }
  }
  std::vector<EventStretch> out;
  sweep(whole, said, [&out](const Interval& span, const std::multiset<EventWord>& words) {
    EventStretch next = stretch_of(span, words);
    if (!out.empty()) {
      next.span = out.back().span;  // the same but for when?
      if (next == out.back()) {
        out.back().span.to = span.to;
        return;
      }
      next.span = span;
    }
    out.push_back(std::move(next));
  });
  return out;
}

// --- reading axis

struct ReadWord {
  int badness = 0;
  ReadState state = ReadState::kRead;
  std::string reason;
  auto operator<=>(const ReadWord&) const = default;
};

int badness_of(ReadState state) {
  switch (state) {
    case ReadState::kRead: return 0;
    case ReadState::kAbsent: return 1;
    case ReadState::kGap: return 2;
    case ReadState::kUnknown: return 3;
  }
  return 3;
}

std::vector<ReadingInterval> reading_of(const std::vector<const LedgerCoverage*>& claims,
                                        const Interval& whole, const AgentKnown& agent,
                                        Instant now) {
  std::vector<Said<ReadWord>> said;
  for (const LedgerCoverage* claim : claims) {
    for (const ReadingInterval& reading : claim->source.reading) {
      said.push_back({reading.span, {badness_of(reading.state), reading.state, reading.reason}});
    }
  }
  std::vector<ReadingInterval> out;
  // Cut where the agent told last, and where the time begins that is still to come.
  const Instant told = std::min(agent.heard, whole.to);
  const Instant ends = std::max(told, std::min(now, whole.to));
  const std::string reason = agent.silent ? "silent" : "not_told_yet";
  said.push_back({{told, ends}, {4, ReadState::kUnknown, reason}});
  said.push_back({{ends, whole.to}, {4, ReadState::kUnknown, "to_come"}});
  sweep(whole, said, [&out](const Interval& span, const std::multiset<ReadWord>& words) {
    ReadingInterval next{span, ReadState::kUnknown, "no_statement"};
    if (!words.empty()) {
      next.state = words.rbegin()->state;
      next.reason = words.rbegin()->reason;
    }
    if (!out.empty() &&
        std::tie(out.back().state, out.back().reason) == std::tie(next.state, next.reason)) {
      out.back().span.to = span.to;
    } else {
      out.push_back(std::move(next));
    }
  });
  return out;
}

std::vector<AgentKnown> agents_of(const TenantInput& input, Instant now, Duration silent_after) {
  std::map<std::string, AgentKnown> known;
  std::map<std::string, IntervalSet> told;
  for (const LedgerCoverage& claim : input.coverage) {
    const auto [at, added] = known.try_emplace(claim.agent);
    AgentKnown& agent = at->second;
    if (added)
      agent = {
          claim.agent, claim.span.from, claim.span.to, claim.span.to, claim.clock_error, {}, false,
          {}};
    agent.first = std::min(agent.first, claim.span.from);
    agent.last = std::max(agent.last, claim.span.to);
    const std::optional<Interval>& read = claim.source.complete;
    if (read && read->to <= now) agent.heard = std::max(agent.heard, read->to);
    agent.heard = std::max(agent.heard, claim.span.to);
    agent.clock_error = std::max(agent.clock_error, claim.clock_error);
    told[claim.agent].add(claim.span);
  }
  std::vector<AgentKnown> out;
  for (auto& [name, agent] : known) {
    if (now < agent.last) agent.ahead = agent.last - now;
    agent.silent = agent.heard + silent_after < now;
    agent.holes = told[name].missing({agent.first, agent.last});
    out.push_back(std::move(agent));
  }
  return out;
}

std::vector<PortalKnown> portals_of(const TenantInput& input, const Interval& span) {
  std::map<std::string, IntervalSet> complete;
  for (const ReceiptCoverage& claim : input.receipt_coverage)
    complete[claim.portal].add(claim.span);
  std::vector<PortalKnown> out;
  for (const auto& [portal, set] : complete) {
    PortalKnown known{portal, {}, {}};
    for (const Interval& stretch : set.overlapping(span)) {
      known.complete.push_back({std::max(stretch.from, span.from), std::min(stretch.to, span.to)});
    }
    known.unknown = set.missing(span);
    out.push_back(std::move(known));
  }
  return out;
}

}  // namespace

bool KnownCoverage::complete() const {
  const bool portals_told = std::all_of(portals.begin(), portals.end(),
                                        [](const PortalKnown& one) { return one.unknown.empty(); });
  return portals_told && !sources.empty() &&
         std::all_of(sources.begin(), sources.end(), [](const SourceKnown& source) {
           return std::all_of(source.events.begin(), source.events.end(),
                              [](const auto& s) { return s.state == ReadState::kRead; });
         });
}

KnownCoverage known_between(const TenantInput& input, const Interval& span, Instant now,
                            const std::string& source, Duration silent_after) {
  KnownCoverage out;
  out.span = span;
  out.agents = agents_of(input, now, silent_after);
  if (source.empty()) out.portals = portals_of(input, span);
  if (span.empty()) return out;
  std::map<std::pair<std::string, std::string>, std::vector<const LedgerCoverage*>> by_source;
  std::map<std::string, const AgentKnown*> agents;
  for (const AgentKnown& agent : out.agents) agents[agent.agent] = &agent;
  for (const LedgerCoverage& claim : input.coverage) {
    if (!source.empty() && claim.source.id != source) continue;
    by_source[{claim.agent, claim.source.id}].push_back(&claim);
  }
  for (const auto& [key, claims] : by_source) {
    out.sources.push_back({key.first, key.second, events_of(claims, span),
                           reading_of(claims, span, *agents.at(key.first), now)});
  }
  return out;
}

}  // namespace meldevakt::collector
