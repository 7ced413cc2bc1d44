#include "agent/recognise/event_time.h"

namespace meldevakt::agent {

Instant EventTime::resolve(const TimeStamp& stamp) {
  const Instant time =
      stamp.utc_offset ? as_utc(stamp.local) - *stamp.utc_offset : in_zone(stamp.local);
  in_force_ = time;
  return time;
}

Instant EventTime::in_zone(const LocalTime& local) {
  if (zone_ == nullptr) return as_utc(local);
  LocalTime minute = local;
  minute.second = 0;
  minute.millisecond = 0;
  if (minute_offset_ && minute == minute_) return as_utc(local) - *minute_offset_;

  // Zones change their offset at whole minutes only, so a minute has one answer.
  const TimeZone::Utc readings = zone_->to_utc(minute);
  const Duration within = as_utc(local) - as_utc(minute);
  minute_offset_ = std::nullopt;
  if (readings.second) {
    const Instant first = readings.first + within;
    const bool is_past = in_force_ && first < *in_force_ - kDisorder;
    return is_past ? *readings.second + within : first;
  }
  minute_ = minute;
  minute_offset_ = as_utc(minute) - readings.first;
  return readings.first + within;
}

}  // namespace meldevakt::agent
