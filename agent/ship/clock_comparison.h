// How this host's clock and the collector's differ, as the newest exchange shows: the collector
// said what its clock says somewhere between the question and its answer.
//
//   ClockComparison comparison;
//   comparison.note(asked, answered, theirs);               // by whoever asks the collector
//   const auto ahead = comparison.newest();                  // ours, of theirs: between the two
//   claimed_clock_error(known, ahead);
//
// What a kernel says of its clock is what it was told; a clock that was set wrong, or that follows
// a wrong source, is not known by it. The collector's clock is no better in itself, but it is the
// one that what is claimed is compared by, and from a comparison only larger errors are concluded.
//
// Thread-safety: note() and newest() may be called from different threads.
#pragma once

#include <mutex>
#include <optional>

#include "common/base/time.h"

namespace meldevakt::agent {

// Our clock is ahead of theirs by no less and no more than this; negative: behind.
struct ClockDifference {
  Duration least;
  Duration most;
  auto operator<=>(const ClockDifference&) const = default;
};

class ClockComparison {
 public:
  // Our clock before the question and after the answer; theirs in between.
  void note(Instant asked, Instant answered, Instant theirs) {
    const std::lock_guard lock{mutex_};
    newest_ = ClockDifference{asked - theirs, answered - theirs};
  }
  [[nodiscard]] std::optional<ClockDifference> newest() const {
    const std::lock_guard lock{mutex_};
    return newest_;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<ClockDifference> newest_;
};

// By how much the clock may be off: `known`, or more, where the two clocks differ by more than that
// for certain. Pure.
[[nodiscard]] Duration claimed_clock_error(Duration known,
                                           const std::optional<ClockDifference>& difference);

}  // namespace meldevakt::agent
