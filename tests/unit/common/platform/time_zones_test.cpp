#include "common/platform/time_zones.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/testing/doubles.h"

namespace meldevakt {
namespace {

std::shared_ptr<const TimeZone> zone(TimeZones& zones, std::string_view name) {
  auto found = zones.find(name);
  REQUIRE(found);
  return std::move(found).value();
}

LocalTime local(int year, int month, int day, int hour, int minute = 0, int second = 0,
                int millisecond = 0) {
  return {year, month, day, hour, minute, second, millisecond};
}

// "2023-02-01T08:14:22.101Z", the second reading after a '|', and "-" for a time that was skipped.
std::string reading(const TimeZone& in, const LocalTime& written) {
  const TimeZone::Utc utc = in.to_utc(written);
  return to_rfc3339(utc.first) + (utc.second ? "|" + to_rfc3339(*utc.second) : "") +
         (utc.skipped ? "-" : "");
}

struct Case {
  std::string_view name;
  LocalTime written;
  std::string_view want;
};

const std::vector<Case> kOslo{
    {"winter", local(2023, 2, 1, 9, 14, 22, 101), "2023-02-01T08:14:22.101Z"},
    {"summer", local(2023, 7, 1, 9, 14), "2023-07-01T07:14:00.000Z"},
    {"last moment before spring", local(2023, 3, 26, 1, 59, 59, 999), "2023-03-26T00:59:59.999Z"},
    {"skipped by spring, first", local(2023, 3, 26, 2), "2023-03-26T01:00:00.000Z-"},
    {"skipped by spring", local(2023, 3, 26, 2, 30), "2023-03-26T01:30:00.000Z-"},
    {"first moment after spring", local(2023, 3, 26, 3), "2023-03-26T01:00:00.000Z"},
    {"last moment before autumn", local(2022, 10, 30, 1, 59, 59, 999), "2022-10-29T23:59:59.999Z"},
    {"repeated by autumn, first", local(2022, 10, 30, 2),
     "2022-10-30T00:00:00.000Z|2022-10-30T01:00:00.000Z"},
    {"repeated by autumn, last", local(2022, 10, 30, 2, 59, 59, 999),
     "2022-10-30T00:59:59.999Z|2022-10-30T01:59:59.999Z"},
    {"first moment after autumn", local(2022, 10, 30, 3), "2022-10-30T02:00:00.000Z"},
    {"new year", local(2024, 1, 1, 0), "2023-12-31T23:00:00.000Z"},
    {"leap day", local(2024, 2, 29, 12), "2024-02-29T11:00:00.000Z"},
    {"some years ahead", local(2031, 7, 1, 12), "2031-07-01T10:00:00.000Z"},
};

TEST_CASE("time zones: Oslo's two kinds of odd hours, by the system and by the test double") {
  SystemTimeZones system;
  testing::RuleTimeZones rules;
  for (const Case& c : kOslo) {
    CAPTURE(c.name);
    CHECK(reading(*zone(system, "Europe/Oslo"), c.written) == c.want);
    CHECK(reading(*zone(rules, "Europe/Oslo"), c.written) == c.want);
  }
}

TEST_CASE("time zones: system and double agree on every hour from 1996 to 2037") {
  SystemTimeZones system;
  testing::RuleTimeZones rules;
  const auto real = zone(system, "Europe/Oslo");
  const auto rule = zone(rules, "Europe/Oslo");
  // Half hours in the days around the changes, every seventh hour elsewhere.
  std::int64_t checked = 0;
  const std::int64_t end = as_utc(local(2037, 12, 31, 0)).ms;
  for (std::int64_t ms = as_utc(local(1996, 1, 1, 0)).ms; ms < end;) {
    const LocalTime written = to_local({ms}, {});
    const bool near_change = (written.month == 3 || written.month == 10) && written.day >= 24;
    const TimeZone::Utc a = real->to_utc(written);
    const TimeZone::Utc b = rule->to_utc(written);
    if (a.first != b.first || a.second != b.second || a.skipped != b.skipped) {
      FAIL("they differ at " << to_rfc3339({ms}));
    }
    REQUIRE(real->utc_offset({ms}) == rule->utc_offset({ms}));
    ms += near_change ? minutes(30).ms : hours(7).ms;
    ++checked;
  }
  CHECK(checked > 50'000);
}

TEST_CASE("time zones: every reading leads back to what was written") {
  // The defining property, over zones with odd offsets, odd changes and changes of the rule itself.
  SystemTimeZones system;
  for (const std::string_view name :
       {"Europe/Oslo", "UTC", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns",
        "Africa/Casablanca", "Pacific/Apia", "Antarctica/Troll", "Asia/Pyongyang"}) {
    CAPTURE(name);
    const auto found = zone(system, name);
    CHECK(found->name() == name);
    std::size_t gaps = 0;
    std::size_t doubles = 0;
    for (std::int64_t ms = as_utc(local(2009, 1, 1, 0)).ms; ms < as_utc(local(2020, 1, 1, 0)).ms;
         ms += minutes(15).ms) {
      const LocalTime written = to_local({ms}, {});
      const TimeZone::Utc utc = found->to_utc(written);
      REQUIRE(utc.skipped == (to_local(utc.first, found->utc_offset(utc.first)) != written));
      if (utc.skipped) {
        ++gaps;
        // Skipped: read with the offset before the change, so it lies after the change.
        const Duration before = Instant{ms} - utc.first;
        REQUIRE(found->utc_offset(utc.first - hours(25)) == before);
        REQUIRE_FALSE(utc.second);
      }
      if (utc.second) {
        ++doubles;
        REQUIRE(utc.first < *utc.second);
        REQUIRE(to_local(*utc.second, found->utc_offset(*utc.second)) == written);
      }
    }
    CHECK((name == "UTC" || name == "Asia/Kathmandu" ? gaps + doubles == 0 : gaps + doubles > 0));
  }
}

TEST_CASE("time zones: the ends of time are as good as any other") {
  SystemTimeZones system;
  const auto oslo = zone(system, "Europe/Oslo");
  CHECK(reading(*oslo, local(1970, 1, 1, 1)) == "1970-01-01T00:00:00.000Z");
  CHECK(oslo->utc_offset({0}) == hours(1));
  CHECK(reading(*oslo, local(9999, 12, 31, 23, 59, 59)) == "9999-12-31T22:59:59.000Z");
  // Before 1970 in UTC: no value of ours, but no crash either.
  CHECK(oslo->to_utc(local(1970, 1, 1, 0)).first.ms == -3'600'000);
}

TEST_CASE("time zones: a name that is none, with the nearest that is") {
  SystemTimeZones system;
  testing::RuleTimeZones rules;
  for (TimeZones* const zones : std::initializer_list<TimeZones*>{&system, &rules}) {
    const auto near = zones->find("Europe/Olso");
    REQUIRE_FALSE(near);
    CHECK(near.error().code() == Errc::kInvalid);
    CHECK(near.error().message().find("did you mean 'Europe/Oslo'?") != std::string::npos);
    for (const std::string_view name :
         {"", "Norge og resten av verden", "../../etc/passwd", "\x01"}) {
      CAPTURE(name);
      const auto none = zones->find(name);
      REQUIRE_FALSE(none);
      CHECK(none.error().code() == Errc::kInvalid);
    }
  }
}

TEST_CASE("RuleTimeZones: fixed offsets") {
  testing::RuleTimeZones zones;
  struct Fixed {
    std::string_view name;
    Duration offset;
  };
  for (const Fixed& f : {Fixed{"UTC", {}}, Fixed{"+01:00", hours(1)},
                         Fixed{"-09:30", Duration{-(hours(9) + minutes(30)).ms}}}) {
    CAPTURE(f.name);
    const auto found = zone(zones, f.name);
    CHECK(found->name() == f.name);
    CHECK(found->utc_offset({0}) == f.offset);
    const TimeZone::Utc utc = found->to_utc(local(2023, 3, 26, 2, 30));
    CHECK(utc.first == as_utc(local(2023, 3, 26, 2, 30)) - f.offset);
    CHECK_FALSE(utc.second);
  }
  for (const std::string_view name : {"+1:00", "+01.00", "+24:00", "+01:60", "01:00", "+0a:00"}) {
    CAPTURE(name);
    CHECK_FALSE(zones.find(name));
  }
}

}  // namespace
}  // namespace meldevakt
