// From the local times that a log writes to UTC, record after record.
//
//   EventTime clock{zone};
//   FileTime memory;                                     // one per file
//   if (auto read = clock.resolve(stamp, memory, now)) ... // read->time, read->doubt
//
// An offset in the text decides; else the source's zone, or the offset that the file itself says.
// In the hour that autumn repeats a local time has two readings: the first that does not lie before
// the time in force is taken, where records may be kDisorder out of order. Where both could be
// meant the time is in doubt: both lie behind the time in force and not in the future; or order
// speaks for the second, but from the first hour on only a silence of more than kSilenceMax could
// explain it, and a clock that was set back could too. A clock set back elsewhere is no order, and
// changes nothing.
//
// A year or a date that the text leaves out is the earliest that does not lie kYearDisorder (or
// kDateDisorder) before the time in force, nor more than a day after now; with neither known there
// is none.
//
// Remembers the last minute's offset, so that most records cost no look-up. Private to
// agent/recognise. Thread-safety: none.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "agent/recognise/file_time.h"
#include "agent/recognise/time_format.h"
#include "common/base/time.h"
#include "common/ports/time_zone.h"

namespace meldevakt::agent {

class EventTime {
 public:
  static constexpr Duration kDisorder = seconds(10);
  static constexpr Duration kSilenceMax = minutes(10);
  static constexpr Duration kClockSlack = minutes(2);  // a log's clock may be so far ahead of ours
  static constexpr Duration kYearDisorder = days(7);
  static constexpr Duration kDateDisorder = hours(1);

  struct Resolved {
    Instant time;
    TimeDoubt doubt = TimeDoubt::kNone;
  };

  explicit EventTime(std::shared_ptr<const TimeZone> zone);

  // And makes it the time in force. `now`: when the record was read, where that is close to when it
  // was written; nullopt for old files. nullopt: the stamp cannot be placed.
  // `file_says_offset`: the pack expects the file to say its offset.
  [[nodiscard]] std::optional<Resolved> resolve(const TimeStamp& stamp, FileTime& memory,
                                                std::optional<Instant> now,
                                                bool file_says_offset = false);
  // The file says its own offset, in a record of this time (or of none).
  void note_offset(Duration utc_offset, const std::optional<TimeStamp>& stamp, FileTime& memory);

  [[nodiscard]] const TimeZone* zone() const { return zone_.get(); }

 private:
  struct Readings {
    Instant first;
    std::optional<Instant> second;
    bool skipped = false;
  };
  [[nodiscard]] Readings readings(const LocalTime& local, const FileTime& memory);
  [[nodiscard]] std::optional<Readings> readings_of(const TimeStamp& stamp, const FileTime& memory,
                                                    std::optional<Instant> now);
  [[nodiscard]] Resolved choose(const Readings& readings, const FileTime& memory,
                                std::optional<Instant> now) const;

  std::shared_ptr<const TimeZone> zone_;
  bool zone_is_utc_ = true;  // configured so, or not configured at all
  LocalTime minute_;         // the last minute looked up, when it has one reading
  std::optional<Duration> minute_offset_;
};

}  // namespace meldevakt::agent
