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
// A source may have several logs that are written at a time (two nodes under one glob). While one
// of them has bytes that were not read, nothing is claimed beyond what is read of it, whatever the
// others say; a log that was lost ends its gap itself; and what is refused to the reader may hold
// anything, so that nothing grows meanwhile.
// A time in doubt counts as its earliest reading where it moves the coverage on, and as its latest
// where coverage begins or a gap ends.
// It never goes back, whatever the log's clock does. Content lost unread opens a gap, which ends at
// the next event read, or when the source is read to its end at a time that the lost content cannot
// have reached any more.
//
// Pure: `now` in, values out. Thread-safety: none. Bounds: kReadingsMax, kGapsMax; beyond them
// neighbours are joined, to the worse claim. kLogsMax: of more logs less is remembered, and less
// claimed until all is read.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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

// What a reader knows of its source's logs, before it hands on bytes of any.
struct UnreadLogs {
  std::vector<std::string> logs;  // that have bytes which were not handed on; sorted
  bool several = false;           // the source has more than one log
  bool refused = false;           // some of what there is cannot be read just now
  Instant looked;                 // when all of it was looked at
  bool operator==(const UnreadLogs&) const = default;
};

class EventCoverage {
 public:
  static constexpr std::size_t kLogsMax = 4096;
  static constexpr std::size_t kLogsSavedMax = 64;
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
    struct Log {
      std::optional<Instant> previous_event;
      std::optional<Instant> sure;  // nothing earlier is to come of it
    };
    std::map<std::string, Log> logs;
    std::map<std::string, Instant> lost_at;  // by log
    Instant lost_until;                      // as far as logs that were lost have ended their gap
    Instant reached;                         // all was read up to here
    std::vector<EventGap> gaps;
  };

  explicit EventCoverage(Settings settings) : settings_{settings} {}

  void unread(UnreadLogs unread) {
    settle();
    unread_ = std::move(unread);
  }
  // What the events of several logs have made sure; else at the next unread(), caught_up(), take().
  void settle();
  // `error`: the time may be so far off, either way; then the less is claimed.
  void event(const std::string& log, Instant time, Duration error, Instant now);
  void caught_up(Instant now);
  void lost(const std::string& log, Instant now) { state_.lost_at[log] = now; }

  // Event time before which nothing more is to come; 0 before anything is known.
  [[nodiscard]] Instant watermark() const { return state_.from ? state_.until : Instant{}; }
  // The stretch added since the last take, but nothing from `limit` on.
  [[nodiscard]] std::optional<Interval> take(std::optional<Instant> limit);
  [[nodiscard]] std::vector<EventGap> take_gaps();

  // Of at most kLogsSavedMax logs, those with unread bytes first.
  [[nodiscard]] Saved saved() const;
  void restore(Saved saved) { state_ = std::move(saved); }

 private:
  using Log = Saved::Log;
  [[nodiscard]] Log& log_named(const std::string& name);
  [[nodiscard]] bool is_unread(const std::string& log) const;
  [[nodiscard]] Instant sure_of_unread(Instant end) const;
  void begin(const Log& log, Instant at);
  void end_gap(Instant at);

  Settings settings_;
  Saved state_;
  UnreadLogs unread_;
  bool unsettled_ = false;
};

}  // namespace meldevakt::agent
