// What was read, in event time: for every source of every agent, the union of the intervals its
// statements claim as complete, less the gaps they admit; and which signals its pack could have
// seen there. "Nothing found" is said only over this (invariant 5).
//
//   CoverageMap map{input.coverage};
//   if (map.observed(Signal::kMessageCommitted)) {
//     auto hole = map.first_hole(Signal::kMessageCommitted, {span, clip_until});
//   }
//
// A source is not asked about the time in which it was not in use (UnusedSource), as long as
// another was asked about that time: else nobody looked.
//
// A source observes a signal where the claiming statement's own pack does; it is asked about the
// signal for all time as soon as one of its statements observes it. Claims are a set: order and
// repetition do not matter. Claims may be added one by one; what each changes is told, so that only
// those who asked about it need ask again. Pure. Thread-safety: const functions. Cost: O(log n) a
// claim, O(sources * log n) a question.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collector/correlate/clock_errors.h"
#include "collector/correlate/correlate.h"
#include "collector/correlate/interval_set.h"

namespace meldevakt::collector {

// Whose clocks told some times, and how far off they may have been.
struct TellingClocks {
  std::string agent;                 // the one that may be off by most; "": a portal's, or none
  Duration error;                    // by that one
  std::optional<Duration> others{};  // by any other; nullopt: there was none
  auto operator<=>(const TellingClocks&) const = default;
};

// A stretch of event time that somebody needs to have been read. Each source is asked about as much
// more on both sides as its clock and those that told the times may err against each other.
struct Need {
  Interval span;
  // A source whose coverage begins after span.from, but not after this, is asked only from there
  // on: its log does not reach further back. nullopt: the whole span is needed.
  std::optional<Instant> clip_until{};
  // Of what is looked for. Sources that can name messages by none of these are not asked; empty:
  // all are.
  ReferenceTypes names{};
  // That told the times; nullopt: nobody's, they are asked about as they are.
  std::optional<TellingClocks> clocks{};
};

struct Hole {
  std::string agent;
  std::string source;
  Interval stretch;           // the first that is missing
  bool not_yet_read = false;  // nothing later of this source was read either: it may still come
  bool never_read = false;    // nothing of this source was ever read to its end
  Instant read_until{};       // of this source; REQUIRES: !never_read
  auto operator<=>(const Hole&) const = default;
};

class CoverageMap {
 public:
  // The signals that verdicts ask about.
  static constexpr std::array<Signal, 3> kAsked{
      Signal::kMessageCommitted, Signal::kMessageSaveFailed, Signal::kMessageAcknowledged};

  // What a claim changed: answers about needs that touch one of the stretches (both ends count).
  struct Change {
    bool everything = false;  // a source is asked about a signal for the first time, or its clock
                              // may err by more than was ever stated
    bool clock = false;       // an agent states a larger ordinary clock error than before
    std::vector<Interval> clock_hours;  // for these, one that is no ordinary one (clock_errors.h)
    std::vector<Interval> stretches;
    std::vector<Interval> shared;  // whose events may be another tenant's, as is known now
  };

  CoverageMap() = default;
  explicit CoverageMap(const std::vector<LedgerCoverage>& claims) {
    for (const LedgerCoverage& claim : claims) static_cast<void>(add(claim));
  }
  Change add(const LedgerCoverage& claim);
  // In place of what was said before. Whoever asked anything must ask again.
  void set_unused(std::vector<UnusedSource> unused) { unused_ = std::move(unused); }

  // By any source that can name a message so; empty: by any. REQUIRES: one of kAsked.
  [[nodiscard]] bool observed(Signal signal, ReferenceTypes names = {}) const;

  // nullopt: every source that observes the signal was read throughout. Else the first hole in
  // order of agent and source; one that will not fill by waiting goes before one that may.
  [[nodiscard]] std::optional<Hole> first_hole(Signal signal, const Need& need) const;

  // How much more than `need.span` any that is asked is asked about at its end.
  [[nodiscard]] Duration widest_at_end(Signal signal, const Need& need) const;
  // From when on all that are asked were read, as far as `need.clip_until` lets them begin later.
  [[nodiscard]] Instant asked_from(Signal signal, const Need& need) const;

  // Whether an event of that source, told at that time, may be of another tenant's message.
  [[nodiscard]] bool is_shared(const std::string& agent, const std::string& source,
                               Instant time) const;

  // The largest clock error the agent ever stated; zero when it stated none.
  [[nodiscard]] Duration clock_error(const std::string& agent) const {
    return clock_errors_.largest(agent);
  }
  [[nodiscard]] const ClockErrors& clock_errors() const { return clock_errors_; }

 private:
  struct Slot {
    bool observed = false;
    IntervalSet read;  // complete, less the gaps
  };
  struct Source {
    std::array<Slot, kAsked.size()> slots;
    IntervalSet gaps;
    IntervalSet shared;  // told while other tenants of the agent were told too
    ReferenceTypes names;
    bool names_all = false;  // a statement of it does not say which
  };
  using SourceKey = std::pair<std::string, std::string>;  // agent, source
  static std::size_t slot_of(Signal signal);
  static void add_to_slot(Slot& slot, const Source& source, const SourceCoverage& claim,
                          bool observes, Change& change);

  [[nodiscard]] static bool is_asked(const Source& source, std::size_t slot,
                                     const ReferenceTypes& names) {
    return source.slots[slot].observed &&
           (names.empty() || source.names_all || source.names.has_any_of(names));
  }
  // The part of `span` for which a source is asked: in which it was in use. Empty: none.
  [[nodiscard]] Interval asked_part(const SourceKey& key, Interval span) const;
  // How much more than `need.span` a source of that agent is asked about at that end of it.
  [[nodiscard]] Duration widening(const std::string& agent, const Need& need, Instant end) const;

  std::map<SourceKey, Source> sources_;
  std::vector<UnusedSource> unused_;
  ClockErrors clock_errors_;
};

// Of everything a tenant's agents claim, and what was not in use.
[[nodiscard]] CoverageMap coverage_of(const TenantInput& input);

}  // namespace meldevakt::collector
