// The account of what was read, on both time axes (DESIGN "Two time axes").
//
// ReadingLog: on the agent's wall clock, in which state the source was, without a hole.
// EventCoverage: in event time, up to where the source's log is known to be read completely.
//
// Event coverage begins with the first event of the oldest content, or with the `now` at which a
// source without any was first read to its end. It grows
//   - with the event times read: to the smaller of the last two, so that one record with a time far
//     ahead claims nothing, less the flush lag, within which a product may write out of order;
//   - when every byte there is has been read: to now less flush lag and clock error.
// A time in doubt counts as its earliest reading where it moves the coverage on, and as its latest
// where coverage begins or a gap ends.
// It never goes back, whatever the log's clock does. Content lost unread opens a gap, which ends at
// the next event read, or when the source is read to its end at a time that the lost content cannot
// have reached any more.
//
// Pure: `now` in, values out. Thread-safety: none. Bounds: kReadingsMax, kGapsMax; beyond them
// neighbours are joined, to the worse claim.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"
#include "common/summary/statement.h"

namespace meldevakt::agent {

// A reason is a code of at most so many bytes; a longer one is "unknown". What a statement needs at
// most is reckoned with it.
inline constexpr std::size_t kReasonBytesMax = 32;

class ReadingLog {
 public:
  static constexpr std::size_t kReadingsMax = 64;

  explicit ReadingLog(Instant start) : cursor_{start} {}

  void set(ReadState state, std::string_view reason, Instant now);  // from `now` on
  // What lies between the last take and `now`, touching and in order.
  [[nodiscard]] std::vector<ReadingInterval> take(Instant now);

  // For snapshots: as take() would say it, and nothing forgotten.
  [[nodiscard]] std::vector<ReadingInterval> peek(Instant now) const;
  [[nodiscard]] Instant until(Instant now) const { return now < cursor_ ? cursor_ : now; }
  // What was peeked, until `then`, followed by a gap until `now`.
  void resume(std::vector<ReadingInterval> before, Instant then, Instant now);

  [[nodiscard]] ReadState state() const { return state_; }

 private:
  void close(Instant now);

  Instant cursor_;  // up to here `intervals_` say
  ReadState state_ = ReadState::kUnknown;
  std::string reason_ = "starting";
  std::vector<ReadingInterval> intervals_;
};

class EventCoverage {
 public:
  static constexpr std::size_t kGapsMax = 16;
  // An event time further ahead of the wall clock than this is not believed.
  static constexpr Duration kAheadMax = minutes(2);

  struct Settings {
    Duration flush_lag;
    Duration clock_error;
  };
  struct Saved {
    std::optional<Instant> from;
    Instant until;
    Instant claimed;
    std::optional<Instant> previous_event;
    std::optional<Instant> lost_at;
    std::vector<EventGap> gaps;
  };

  explicit EventCoverage(Settings settings) : settings_{settings} {}

  // `error`: the time may be so far off, either way; then the less is claimed.
  void event(Instant time, Duration error, Instant now);
  void caught_up(Instant now);
  void lost(Instant now);

  // Event time before which nothing more is to come; 0 before anything is known.
  [[nodiscard]] Instant watermark() const { return state_.from ? state_.until : Instant{}; }
  // The stretch added since the last take, but nothing from `limit` on.
  [[nodiscard]] std::optional<Interval> take(std::optional<Instant> limit);
  [[nodiscard]] std::vector<EventGap> take_gaps();

  [[nodiscard]] const Saved& saved() const { return state_; }
  void restore(Saved saved) { state_ = std::move(saved); }

 private:
  void end_gap(Instant at);

  Settings settings_;
  Saved state_;
};

}  // namespace meldevakt::agent
