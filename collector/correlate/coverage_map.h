// What was read, in event time: for every source of every agent, the union of the intervals its
// statements claim as complete, less the gaps they admit; and which signals its pack could have
// seen there. "Nothing found" is said only over this (invariant 5).
//
//   CoverageMap map{input.coverage};
//   if (map.observed(Signal::kMessageCommitted)) {
//     auto hole = map.first_hole(Signal::kMessageCommitted, {span, clip_until});
//   }
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

#include "collector/correlate/correlate.h"
#include "collector/correlate/interval_set.h"

namespace meldevakt::collector {

// A stretch of event time that somebody needs to have been read.
struct Need {
  Interval span;
  // A source whose coverage begins after span.from, but not after this, is asked only from there
  // on: its log does not reach further back. nullopt: the whole span is needed.
  std::optional<Instant> clip_until;
};

struct Hole {
  std::string agent;
  std::string source;
  Interval stretch;           // the first that is missing
  bool not_yet_read = false;  // nothing later of this source was read either: it may still come
  bool never_read = false;    // nothing of this source was ever read to its end
  auto operator<=>(const Hole&) const = default;
};

class CoverageMap {
 public:
  // The signals that verdicts ask about.
  static constexpr std::array<Signal, 3> kAsked{
      Signal::kMessageCommitted, Signal::kMessageSaveFailed, Signal::kMessageAcknowledged};

  // What a claim changed: answers about needs that touch one of the stretches (both ends count).
  struct Change {
    bool everything = false;  // a source is asked about a signal for the first time
    bool clock = false;       // an agent states a larger clock error than before
    std::vector<Interval> stretches;
  };

  CoverageMap() = default;
  explicit CoverageMap(const std::vector<LedgerCoverage>& claims) {
    for (const LedgerCoverage& claim : claims) static_cast<void>(add(claim));
  }
  Change add(const LedgerCoverage& claim);

  [[nodiscard]] bool observed(Signal signal) const;  // by any source; REQUIRES: one of kAsked

  // nullopt: every source that observes the signal was read throughout. Else the first hole in
  // order of agent and source; one that will not fill by waiting goes before one that may.
  [[nodiscard]] std::optional<Hole> first_hole(Signal signal, const Need& need) const;

  // The largest clock error the agent ever stated; zero when it stated none.
  [[nodiscard]] Duration clock_error(const std::string& agent) const;

  [[nodiscard]] Duration largest_clock_error() const { return largest_clock_error_; }

 private:
  struct Slot {
    bool observed = false;
    IntervalSet read;  // complete, less the gaps
  };
  struct Source {
    std::array<Slot, kAsked.size()> slots;
    IntervalSet gaps;
  };
  using SourceKey = std::pair<std::string, std::string>;  // agent, source
  static std::size_t slot_of(Signal signal);
  static void add_to_slot(Slot& slot, const Source& source, const SourceCoverage& claim,
                          bool observes, Change& change);

  std::map<SourceKey, Source> sources_;
  std::array<std::size_t, kAsked.size()> observers_{};
  std::map<std::string, Duration> clock_errors_;
  Duration largest_clock_error_;
};

}  // namespace meldevakt::collector
