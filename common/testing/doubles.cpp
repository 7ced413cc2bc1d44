#include "common/testing/doubles.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/text.h"

namespace meldevakt::testing {
namespace {

class FixedZone : public TimeZone {
 public:
  FixedZone(std::string name, Duration offset) : name_{std::move(name)}, offset_{offset} {}

  [[nodiscard]] Utc to_utc(const LocalTime& local) const override {
    return {as_utc(local) - offset_, std::nullopt, false};
  }
  [[nodiscard]] Duration utc_offset(Instant) const override { return offset_; }
  [[nodiscard]] std::string name() const override { return name_; }

 private:
  std::string name_;
  Duration offset_;
};

// 01:00 UTC on the last Sunday of a month of 31 days.
Instant change_in(int year, int month) {
  const Instant last_day = as_utc({.year = year, .month = month, .day = 31, .hour = 1});
  const std::int64_t weekday = (last_day.ms / days(1).ms + 4) % 7;  // 1970-01-01 was a Thursday
  return last_day - days(weekday);                                  // 0 is Sunday
}

class OsloZone : public TimeZone {
 public:
  [[nodiscard]] Utc to_utc(const LocalTime& local) const override {
    const Instant written = as_utc(local);
    const Instant as_summer = written - hours(2);
    const Instant as_winter = written - hours(1);
    const bool summer_holds = utc_offset(as_summer) == hours(2);
    const bool winter_holds = utc_offset(as_winter) == hours(1);
    if (summer_holds && winter_holds) return {as_summer, as_winter, false};  // autumn repeats it
    if (summer_holds) return {as_summer, std::nullopt, false};
    return {as_winter, std::nullopt, !winter_holds};  // spring skips the hour
  }
  [[nodiscard]] Duration utc_offset(Instant at) const override {
    const int year = to_local(at, {}).year;
    return change_in(year, 3) <= at && at < change_in(year, 10) ? hours(2) : hours(1);
  }
  [[nodiscard]] std::string name() const override { return "Europe/Oslo"; }
};

// "+01:00" or "-09:30".
std::optional<Duration> parse_offset(std::string_view text) {
  if (text.size() != 6 || text[3] != ':' || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const auto whole_hours = parse_u64(text.substr(1, 2));
  const auto whole_minutes = parse_u64(text.substr(4, 2));
  if (!whole_hours || !whole_minutes || *whole_hours > 23 || *whole_minutes > 59) {
    return std::nullopt;
  }
  const Duration size = hours(static_cast<std::int64_t>(*whole_hours)) +
                        minutes(static_cast<std::int64_t>(*whole_minutes));
  return text[0] == '-' ? Duration{-size.ms} : size;
}

}  // namespace

std::uint64_t SeededRandom::next() {
  state_ += 0x9e3779b97f4a7c15U;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
  return mixed ^ (mixed >> 31U);
}

std::string SeededRandom::bytes(std::size_t count) {
  std::string out;
  out.reserve(count + 8);
  while (out.size() < count) {
    std::uint64_t word = next();
    for (int i = 0; i < 8; ++i, word >>= 8U) out.push_back(static_cast<char>(word & 0xffU));
  }
  out.resize(count);
  return out;
}

Result<std::shared_ptr<const TimeZone>> RuleTimeZones::find(std::string_view name) {
  if (name == "Europe/Oslo") return std::shared_ptr<const TimeZone>{std::make_shared<OsloZone>()};
  const std::optional<Duration> offset =
      name == "UTC" ? std::optional{Duration{}} : parse_offset(name);
  if (offset) {
    return std::shared_ptr<const TimeZone>{std::make_shared<FixedZone>(std::string{name}, *offset)};
  }
  std::string message = "there is no time zone " + quoted(name);
  if (const auto near = nearest_name(name, {"UTC", "Europe/Oslo"})) {
    message += "; did you mean '" + *near + "'?";
  }
  return Error{Errc::kInvalid, std::move(message)};
}

}  // namespace meldevakt::testing
