// Points in time and lengths of time, in milliseconds.
//
// Instant is UTC wall clock: milliseconds since 1970-01-01T00:00:00Z, the one form of time on the
// wire. Nothing in rings 0-2 reads a clock: `now` is an argument.
//
//   Instant deadline = receipt_time + days(14);
//   std::string text = to_rfc3339(deadline);       // "2023-02-15T09:14:22.101Z"
//
// Thread-safety: plain values. Bounds: from_rfc3339 accepts years 1970 to 9999.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace meldevakt {

struct Duration {
  std::int64_t ms = 0;
  auto operator<=>(const Duration&) const = default;
};
[[nodiscard]] constexpr Duration milliseconds(std::int64_t n) {
  return {n};
}
[[nodiscard]] constexpr Duration seconds(std::int64_t n) {
  return {n * 1000};
}
[[nodiscard]] constexpr Duration minutes(std::int64_t n) {
  return {n * 60'000};
}
[[nodiscard]] constexpr Duration hours(std::int64_t n) {
  return {n * 3'600'000};
}
[[nodiscard]] constexpr Duration days(std::int64_t n) {
  return {n * 86'400'000};
}

struct Instant {
  std::int64_t ms = 0;  // since 1970-01-01T00:00:00Z
  auto operator<=>(const Instant&) const = default;
};
[[nodiscard]] constexpr Instant operator+(Instant t, Duration d) {
  return {t.ms + d.ms};
}
[[nodiscard]] constexpr Instant operator-(Instant t, Duration d) {
  return {t.ms - d.ms};
}
[[nodiscard]] constexpr Duration operator-(Instant a, Instant b) {
  return {a.ms - b.ms};
}
[[nodiscard]] constexpr Duration operator+(Duration a, Duration b) {
  return {a.ms + b.ms};
}
[[nodiscard]] constexpr Duration operator-(Duration a, Duration b) {
  return {a.ms - b.ms};
}

// Half-open: [from, to).
struct Interval {
  Instant from;
  Instant to;
  [[nodiscard]] constexpr bool contains(Instant t) const { return from <= t && t < to; }
  [[nodiscard]] constexpr bool overlaps(const Interval& o) const {
    return from < o.to && o.from < to;
  }
  [[nodiscard]] constexpr bool empty() const { return to <= from; }
  auto operator<=>(const Interval&) const = default;
};

// A date and time of day without a zone, as logs write it. Years 1970 to 9999.
struct LocalTime {
  int year = 1970;
  int month = 1;  // 1 to 12
  int day = 1;    // 1 to 31
  int hour = 0;
  int minute = 0;
  int second = 0;  // 0 to 60
  int millisecond = 0;
  auto operator<=>(const LocalTime&) const = default;
};
[[nodiscard]] bool is_valid(const LocalTime& local);   // the date exists, the time of day too
[[nodiscard]] Instant as_utc(const LocalTime& local);  // read as if the zone were UTC
[[nodiscard]] LocalTime to_local(Instant instant, Duration utc_offset);

[[nodiscard]] std::string to_rfc3339(Instant instant);  // always UTC, always milliseconds
// RFC 3339 with zone ("Z" or "+01:00") and 0 to 9 fraction digits (cut to milliseconds). kInvalid.
[[nodiscard]] Result<Instant> from_rfc3339(std::string_view text);
// "10s", "500 ms", "2m", "24h", "14d"; at most 100000d. kInvalid, saying what is understood.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);

}  // namespace meldevakt
