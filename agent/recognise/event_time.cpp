#include "agent/recognise/event_time.h"

#include <vector>

namespace meldevakt::agent {
namespace {

bool is_utc(const TimeZone* zone) {
  return zone == nullptr || zone->name() == "UTC" || zone->name() == "Etc/UTC";
}

// The dates that a stamp without year, or without date, may mean, the earliest first: around the
// time in force and around now.
std::vector<LocalTime> candidates(const TimeStamp& stamp, Instant from, Instant to) {
  std::vector<LocalTime> out;
  const LocalTime& written = stamp.local;
  if (stamp.has_date) {
    // Eight years hold a 29 February wherever they begin, but around 1900 and 2100.
    const int first = to_local(from, Duration{0}).year - 8;
    const int last = to_local(to, Duration{0}).year + 8;
    for (int year = first; year <= last; ++year) {
      LocalTime local = written;
      local.year = year;
      if (is_valid(local)) out.push_back(local);
    }
    return out;
  }
  for (const Instant around : {from, to}) {
    for (int day = -1; day <= 1; ++day) {
      LocalTime local = to_local(around + days(day), Duration{0});
      local.hour = written.hour;
      local.minute = written.minute;
      local.second = written.second;
      local.millisecond = written.millisecond;
      if (out.empty() || out.back() < local) out.push_back(local);
    }
  }
  return out;
}

}  // namespace

EventTime::EventTime(std::shared_ptr<const TimeZone> zone)
    : zone_{std::move(zone)}, zone_is_utc_{is_utc(zone_.get())} {}

void EventTime::note_offset(Duration utc_offset, const std::optional<TimeStamp>& stamp,
                            FileTime& memory) {
  memory.utc_offset = utc_offset;
  std::optional<Instant> at = memory.in_force;
  if (stamp && stamp->has_year && stamp->has_date) at = as_utc(stamp->local) - utc_offset;
  memory.zone_agrees = !zone_is_utc_ && at && zone_->utc_offset(*at) == utc_offset;
}

EventTime::Readings EventTime::readings(const LocalTime& local, const FileTime& memory) {
  if (memory.utc_offset && !memory.zone_agrees) {
    return {as_utc(local) - *memory.utc_offset, std::nullopt, false};
  }
  if (zone_ == nullptr) return {as_utc(local), std::nullopt, false};
  LocalTime minute = local;
  minute.second = 0;
  minute.millisecond = 0;
  if (minute_offset_ && minute == minute_) {
    return {as_utc(local) - *minute_offset_, std::nullopt, false};
  }
  // Zones change their offset at whole minutes only, so a minute has one answer.
  const TimeZone::Utc utc = zone_->to_utc(minute);
  const Duration within = as_utc(local) - as_utc(minute);
  minute_offset_ = std::nullopt;
  if (utc.second || utc.skipped) {
    std::optional<Instant> second;
    if (utc.second) second = *utc.second + within;
    return {utc.first + within, second, utc.skipped};
  }
  minute_ = minute;
  minute_offset_ = as_utc(minute) - utc.first;
  return {utc.first + within, std::nullopt, false};
}

// The earliest date that does not lie before the time in force, disorder allowed for; where all lie
// before it, the latest.
std::optional<EventTime::Readings> EventTime::readings_of(const TimeStamp& stamp,
                                                          const FileTime& memory,
                                                          std::optional<Instant> now) {
  const auto read = [&](const LocalTime& local) -> Readings {
    if (stamp.utc_offset) return {as_utc(local) - *stamp.utc_offset, std::nullopt, false};
    return readings(local, memory);
  };
  if (stamp.has_year && stamp.has_date) return read(stamp.local);
  if (!memory.in_force && !now) return std::nullopt;
  const Instant from = memory.in_force.value_or(now.value_or(Instant{}));
  const Duration disorder = stamp.has_date ? kYearDisorder : kDateDisorder;
  const Duration ahead = stamp.has_date ? days(1) : hours(1);
  std::optional<Readings> latest;
  for (const LocalTime& local : candidates(stamp, from, now.value_or(from))) {
    const Readings candidate = read(local);
    if (now && candidate.first > *now + ahead) break;
    // Without a time in force there is no order: the latest that is not in the future.
    if (memory.in_force && candidate.first >= *memory.in_force - disorder) return candidate;
    latest = candidate;
  }
  return latest;
}

EventTime::Resolved EventTime::choose(const Readings& readings, const FileTime& memory,
                                      std::optional<Instant> now) const {
  if (readings.skipped) return {readings.first, TimeDoubt::kSkipped};
  if (!readings.second) return {readings.first, TimeDoubt::kNone};
  const Instant second = *readings.second;
  // Live, what has not happened yet is not meant.
  if (now && readings.first <= *now + kClockSlack && second > *now + kClockSlack) {
    return {readings.first, TimeDoubt::kNone};
  }
  if (!memory.in_force || readings.first >= *memory.in_force - kDisorder) {
    return {readings.first, TimeDoubt::kTwoReadings};
  }
  const bool after_silence = second - *memory.in_force > kSilenceMax &&
                             zone_->utc_offset(*memory.in_force) != zone_->utc_offset(second);
  return {second, after_silence ? TimeDoubt::kTwoReadings : TimeDoubt::kNone};
}

std::optional<EventTime::Resolved> EventTime::resolve(const TimeStamp& stamp, FileTime& memory,
                                                      std::optional<Instant> now,
                                                      bool file_says_offset) {
  if (!stamp.utc_offset) {
    const bool offset_missing = file_says_offset && !memory.utc_offset;
    if (zone_is_utc_ && (stamp.unknown_zone || offset_missing)) return std::nullopt;
  }
  const std::optional<Readings> found = readings_of(stamp, memory, now);
  if (!found) return std::nullopt;
  Resolved out = choose(*found, memory, now);
  if (!stamp.has_date && out.doubt == TimeDoubt::kNone) out.doubt = TimeDoubt::kDayDeduced;
  memory.in_force = out.time;
  memory.doubt = out.doubt;
  return out;
}

}  // namespace meldevakt::agent
