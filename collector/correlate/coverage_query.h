// "What do we know of source S between T1 and T2, and by which packs?" For any interval, on both
// time axes; the answer tiles the interval exactly, and what nobody claims is `unknown`.
//
//   KnownCoverage known = known_between(input, {from, to}, now);
//
// Event axis: `read` where a statement claims it as complete (with every pack that does), `gap`
// where one admits that it can no longer be read, else `unknown`. Reading axis, on the agent's own
// clock: what the statements say of each source; where two statements tell of one time (a clock was
// set back) the worse word counts; where none does, `unknown` with the reason "no_statement". After
// what an agent told last it is "silent" when it is called silent in the same answer, else
// "not_told_yet"; after `now` "to_come". An agent is silent when neither its statements nor what it
// says it has read reach the last kSilentAfter before `now`: who has read what was written at ten
// was not silent at ten, whatever its clock showed.
//
// Pure. Thread-safety: pure function. Cost: O(n log n) in the statements' claims.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collector/correlate/correlate.h"

namespace meldevakt::collector {

// A statement a minute is the rule; a day may pass in carry mode, and is then rightly called
// silent.
inline constexpr Duration kSilentAfter = minutes(10);

struct EventStretch {
  Interval span;
  ReadState state = ReadState::kUnknown;  // kRead, kGap or kUnknown
  std::string reason;                     // of a gap
  std::vector<PackIdentity> packs;        // that read it, sorted
  std::vector<Signal> observes;           // what those packs could have seen there, sorted
  auto operator<=>(const EventStretch&) const = default;
};

struct SourceKnown {
  std::string agent;
  std::string source;
  std::vector<EventStretch> events;      // tile the interval
  std::vector<ReadingInterval> reading;  // tile the interval
};

struct AgentKnown {
  std::string agent;
  Instant first;  // of its statements' spans
  Instant last;
  Instant heard;  // the later of `last` and the latest event time, not after now, that it has read
  Duration clock_error;  // the largest it ever stated
  Duration ahead;        // by at least so much its clock ran before ours: it tells of the future
  bool silent = false;
  std::vector<Interval> holes;  // of its life, that no statement tells of
};

struct PortalKnown {
  std::string portal;
  std::vector<Interval> complete;  // of the interval
  std::vector<Interval> unknown;   // the rest of it
};

struct KnownCoverage {
  Interval span;
  std::vector<SourceKnown> sources;     // sorted by agent and source
  std::vector<AgentKnown> agents;       // sorted
  std::vector<PortalKnown> portals;     // sorted
  [[nodiscard]] bool complete() const;  // nothing is unknown and nothing a gap on the event axis
};

// `source`: only of that name; "" = all. `silent_after`: as the operator's alarms have it.
[[nodiscard]] KnownCoverage known_between(const TenantInput& input, const Interval& span,
                                          Instant now, const std::string& source = "",
                                          Duration silent_after = kSilentAfter);

}  // namespace meldevakt::collector
