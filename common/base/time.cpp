#include "common/base/time.h"

#include <optional>
#include <vector>

#include "common/base/text.h"

namespace meldevakt {
namespace {

constexpr std::int64_t kMsPerDay = 86'400'000;
constexpr int kYearMin = 1970;
constexpr int kYearMax = 9999;
// 273 years: no sum of a time on the wire and a configured length can overflow.
constexpr Duration kDurationMax = days(100'000);

bool is_leap(int year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int days_in_month(int year, int month) {
  constexpr int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : lengths[month - 1];
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

// Days since 1970-01-01 in the proleptic Gregorian calendar. The year starts in March, so that the
// leap day comes last; an era is 400 years (Howard Hinnant, "chrono-compatible low-level date
// algorithms").
std::int64_t days_from_civil(int year, int month, int day) {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = floor_div(y, 400);
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

LocalTime civil_from_days(std::int64_t days) {
  const std::int64_t shifted = days + 719'468;
  const std::int64_t era = floor_div(shifted, 146'097);
  const std::int64_t day_of_era = shifted - era * 146'097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month_index = (5 * day_of_year + 2) / 153;
  LocalTime local;
  local.day = static_cast<int>(day_of_year - (153 * month_index + 2) / 5 + 1);
  local.month = static_cast<int>(month_index < 10 ? month_index + 3 : month_index - 9);
  local.year = static_cast<int>(year_of_era + era * 400 + (local.month <= 2 ? 1 : 0));
  return local;
}

void append_padded(std::string& out, int value, std::size_t width) {
  const std::string digits = std::to_string(value);
  if (digits.size() < width) out.append(width - digits.size(), '0');
  out += digits;
}

// Takes pieces off the front of a text; after the first that does not fit, ok() stays false.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_{text} {}

  int number(std::size_t width) {
    int value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      if (!ok_ || rest_.empty() || rest_[0] < '0' || rest_[0] > '9') {
        ok_ = false;
        return 0;
      }
      value = value * 10 + (rest_[0] - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }

  // The next character, which must be one of `allowed`.
  char one_of(std::string_view allowed) {
    if (!ok_ || rest_.empty() || allowed.find(rest_[0]) == std::string_view::npos) {
      ok_ = false;
      return '\0';
    }
    const char c = rest_[0];
    rest_.remove_prefix(1);
    return c;
  }

  // ".123456789": 1 to 9 digits, cut to milliseconds; 0 without a point.
  int optional_fraction() {
    if (!ok_ || rest_.empty() || rest_[0] != '.') return 0;
    rest_.remove_prefix(1);
    std::size_t digits = 0;
    int value = 0;
    while (digits < 10 && !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9') {
      if (digits < 3) value = value * 10 + (rest_[0] - '0');
      ++digits;
      rest_.remove_prefix(1);
    }
    if (digits == 0 || digits > 9) ok_ = false;
    for (; digits < 3; ++digits) value *= 10;
    return value;
  }

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

struct Unit {
  std::string_view name;
  std::int64_t ms;
};
constexpr Unit kUnits[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", kMsPerDay}};

}  // namespace

bool is_valid(const LocalTime& t) {
  return t.year >= kYearMin && t.year <= kYearMax && t.month >= 1 && t.month <= 12 && t.day >= 1 &&
         t.day <= days_in_month(t.year, t.month) && t.hour >= 0 && t.hour <= 23 && t.minute >= 0 &&
         t.minute <= 59 && t.second >= 0 && t.second <= 60 && t.millisecond >= 0 &&
         t.millisecond <= 999;
}

Instant as_utc(const LocalTime& t) {
  const std::int64_t second_of_day = (t.hour * 60LL + t.minute) * 60 + t.second;
  return {days_from_civil(t.year, t.month, t.day) * kMsPerDay + second_of_day * 1000 +
          t.millisecond};
}

LocalTime to_local(Instant instant, Duration utc_offset) {
  const std::int64_t ms = instant.ms + utc_offset.ms;
  const std::int64_t days = floor_div(ms, kMsPerDay);
  const auto ms_of_day = static_cast<int>(ms - days * kMsPerDay);
  LocalTime local = civil_from_days(days);
  local.hour = ms_of_day / 3'600'000;
  local.minute = ms_of_day / 60'000 % 60;
  local.second = ms_of_day / 1000 % 60;
  local.millisecond = ms_of_day % 1000;
  return local;
}

std::string to_rfc3339(Instant instant) {
  const LocalTime t = to_local(instant, {});
  std::string out;
  append_padded(out, t.year, 4);
  append_padded(out += '-', t.month, 2);
  append_padded(out += '-', t.day, 2);
  append_padded(out += 'T', t.hour, 2);
  append_padded(out += ':', t.minute, 2);
  append_padded(out += ':', t.second, 2);
  append_padded(out += '.', t.millisecond, 3);
  return out += 'Z';
}

Result<Instant> from_rfc3339(std::string_view text) {
  Scanner scan{text};
  LocalTime t;
  t.year = scan.number(4);
  scan.one_of("-");
  t.month = scan.number(2);
  scan.one_of("-");
  t.day = scan.number(2);
  scan.one_of("Tt");
  t.hour = scan.number(2);
  scan.one_of(":");
  t.minute = scan.number(2);
  scan.one_of(":");
  t.second = scan.number(2);
  t.millisecond = scan.optional_fraction();
  const char zone = scan.one_of("Zz+-");
  Duration offset;
  bool offset_valid = true;
  if (zone == '+' || zone == '-') {
    const int offset_hours = scan.number(2);
    scan.one_of(":");
    const int offset_minutes = scan.number(2);
    offset_valid = offset_hours <= 23 && offset_minutes <= 59;
    offset = minutes(offset_hours * 60 + offset_minutes);
    if (zone == '-') offset = Duration{} - offset;
  }
  if (!scan.ok() || !scan.at_end() || !offset_valid || !is_valid(t)) {
    return Error{Errc::kInvalid, "'" + quoted(text) +
                                     "' is not a time such as 2023-02-15T09:14:22.101Z or "
                                     "2023-02-15T10:14:22+01:00"};
  }
  const Instant instant = as_utc(t) - offset;
  const int year = to_local(instant, {}).year;
  if (year < kYearMin || year > kYearMax) {
    return Error{Errc::kInvalid, "'" + quoted(text) + "' is outside the years 1970 to 9999"};
  }
  return instant;
}

Result<Duration> parse_duration(std::string_view text) {
  const std::size_t digits = text.find_first_not_of("0123456789");
  const std::optional<std::uint64_t> count = parse_u64(text.substr(0, digits));
  if (count && digits != std::string_view::npos) {
    std::string_view name = text.substr(digits);
    if (name[0] == ' ') name.remove_prefix(1);
    for (const Unit& unit : kUnits) {
      if (name != unit.name) continue;
      if (*count > static_cast<std::uint64_t>(kDurationMax.ms / unit.ms)) {
        return Error{Errc::kInvalid,
                     "'" + quoted(text) + "' is too long a time; the longest is 100000d"};
      }
      return Duration{static_cast<std::int64_t>(*count) * unit.ms};
    }
  }
  return Error{Errc::kInvalid, "'" + quoted(text) +
                                   "' is not a length of time: write a whole number and one of "
                                   "ms, s, m, h, d, such as \"10s\" or \"14d\""};
}

}  // namespace meldevakt
