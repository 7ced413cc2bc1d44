// From the local times that a log writes to UTC, record after record.
//
//   EventTime clock{zone};
//   Instant at = clock.resolve(stamp);
//
// An offset in the text decides; else the source's zone. In the hour that autumn repeats a local
// time has two readings: the first that does not lie before the time in force is taken, where
// records may be kDisorder out of order. Remembers the last minute's offset, so that most records
// cost no look-up. Private to agent/recognise. Thread-safety: none.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "agent/recognise/time_format.h"
#include "common/base/time.h"
#include "common/ports/time_zone.h"

namespace meldevakt::agent {

class EventTime {
 public:
  static constexpr Duration kDisorder = seconds(10);

  explicit EventTime(std::shared_ptr<const TimeZone> zone) : zone_{std::move(zone)} {}

  [[nodiscard]] Instant resolve(const TimeStamp& stamp);  // and makes it the time in force
  [[nodiscard]] std::optional<Instant> in_force() const { return in_force_; }
  void set_in_force(std::optional<Instant> time) { in_force_ = time; }

 private:
  [[nodiscard]] Instant in_zone(const LocalTime& local);

  std::shared_ptr<const TimeZone> zone_;
  std::optional<Instant> in_force_;
  LocalTime minute_;  // the last minute looked up, when it has one reading
  std::optional<Duration> minute_offset_;
};

}  // namespace meldevakt::agent
