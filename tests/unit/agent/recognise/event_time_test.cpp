#include "agent/recognise/event_time.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/testing/doubles.h"

namespace meldevakt::agent {
namespace {

std::shared_ptr<const TimeZone> oslo() {
  auto zone = testing::RuleTimeZones{}.find("Europe/Oslo");
  REQUIRE(zone.has_value());
  return zone.value();
}

Instant at(std::string_view text) {
  const auto time = from_rfc3339(text);
  REQUIRE(time.has_value());
  return time.value();
}

TimeStamp stamp(std::string_view text, std::string_view with = "%Y-%m-%d %H:%M:%S") {
  const auto format = TimeFormat::parse(with);
  REQUIRE(format.has_value());
  const auto read = format.value().read(text);
  REQUIRE(read.has_value());
  return *read;
}

// One file, and how its times are told: "2023-10-29T00:00:01", with a "?" and a letter when they
// are in doubt.
struct World {
  EventTime clock;
  FileTime file;
  std::optional<Instant> now;
  std::string_view format = "%Y-%m-%d %H:%M:%S";

  explicit World(std::shared_ptr<const TimeZone> zone) : clock{std::move(zone)} {}

  std::string resolve(const TimeStamp& stamp, bool file_says_offset = false) {
    const auto read = clock.resolve(stamp, file, now, file_says_offset);
    if (!read) return "none";
    const std::string_view doubt = to_string(read->doubt);
    return to_rfc3339(read->time).substr(0, 19) + (doubt.empty() ? "" : "?") +
           std::string{doubt.substr(0, 1)};
  }
  std::vector<std::string> resolve(const std::vector<std::string_view>& locals) {
    std::vector<std::string> out;
    for (const std::string_view local : locals) out.push_back(resolve(stamp(local, format)));
    return out;
  }
};

using Texts = std::vector<std::string>;

TEST_CASE("EventTime: local times in summer and winter, again and again") {
  World world{oslo()};
  CHECK(world.resolve({"2023-01-15 12:00:00", "2023-01-15 12:00:59", "2023-07-15 12:00:00",
                       "2023-01-15 12:00:01"}) ==
        Texts{"2023-01-15T11:00:00", "2023-01-15T11:00:59", "2023-07-15T10:00:00",
              "2023-01-15T11:00:01"});
}

// 2023-10-29: 02:00-03:00 twice; the first time is 00:xx UTC, the second 01:xx.
TEST_CASE("EventTime: autumn's repeated hour is read nearest after the time in force") {
  World world{oslo()};
  // Read later, nothing tells the first pass from a silence of an hour; the second is certain.
  CHECK(world.resolve({"2023-10-29 01:59:58", "2023-10-29 02:00:01", "2023-10-29 02:59:58",
                       "2023-10-29 02:00:02", "2023-10-29 02:00:01", "2023-10-29 02:00:20",
                       "2023-10-29 02:59:59", "2023-10-29 03:00:00"}) ==
        Texts{"2023-10-28T23:59:58", "2023-10-29T00:00:01?t", "2023-10-29T00:59:58?t",
              "2023-10-29T01:00:02", "2023-10-29T01:00:01", "2023-10-29T01:00:20",
              "2023-10-29T01:59:59", "2023-10-29T02:00:00"});
}

TEST_CASE("EventTime: followed live, autumn's first hour is certain too") {
  World world{oslo()};
  world.now = at("2023-10-29T00:10:00Z");
  CHECK(world.resolve({"2023-10-29 02:09:58"}) == Texts{"2023-10-29T00:09:58"});
  world.now = at("2023-10-29T01:10:00Z");
  CHECK(world.resolve({"2023-10-29 02:09:58"}) == Texts{"2023-10-29T00:09:58?t"});
  // Our own clock is behind: it says nothing.
  World behind{oslo()};
  behind.now = at("2023-01-01T00:00:00Z");
  CHECK(behind.resolve({"2023-10-29 02:09:58"}) == Texts{"2023-10-29T00:09:58?t"});
}

TEST_CASE("EventTime: a clock set back is no order") {
  World world{oslo()};
  // By ten minutes amid the first hour: live, the second reading lies in the future.
  world.now = at("2023-10-29T00:40:01Z");
  CHECK(world.resolve({"2023-10-29 02:40:00"}) == Texts{"2023-10-29T00:40:00"});
  world.now = at("2023-10-29T00:30:01Z");
  CHECK(world.resolve({"2023-10-29 02:30:00"}) == Texts{"2023-10-29T00:30:00"});
  // Read later it may as well be the second hour, after a silence: in doubt.
  World later{oslo()};
  CHECK(later.resolve({"2023-10-29 02:40:00", "2023-10-29 02:30:00"}) ==
        Texts{"2023-10-29T00:40:00?t", "2023-10-29T01:30:00?t"});
  // Elsewhere the time in force goes back with it, and nothing else happens.
  World summer{oslo()};
  CHECK(summer.resolve({"2023-07-01 12:40:00", "2023-07-01 12:30:00", "2023-07-01 12:30:01"}) ==
        Texts{"2023-07-01T10:40:00", "2023-07-01T10:30:00", "2023-07-01T10:30:01"});
  CHECK(summer.file.in_force == at("2023-07-01T10:30:01Z"));
}

TEST_CASE("EventTime: a record late over the border of the two hours is still of the first") {
  World world{oslo()};
  CHECK(world.resolve({"2023-10-29 02:59:59", "2023-10-29 02:00:01", "2023-10-29 02:59:58",
                       "2023-10-29 02:00:02"}) ==
        Texts{"2023-10-29T00:59:59?t", "2023-10-29T01:00:01", "2023-10-29T00:59:58?t",
              "2023-10-29T01:00:02"});
}

TEST_CASE("EventTime: the time in force survives a restart, and decides") {
  World world{oslo()};
  world.file.in_force = at("2023-10-29T01:10:00Z");
  world.file = file_time_from_text(to_text(world.file));
  CHECK(world.resolve({"2023-10-29 02:10:05"}) == Texts{"2023-10-29T01:10:05"});
  World fresh{oslo()};
  CHECK(fresh.resolve({"2023-10-29 02:10:05"}) == Texts{"2023-10-29T00:10:05?t"});
}

TEST_CASE("EventTime: every minute of the night that autumn makes longer, in order") {
  World world{oslo()};
  Instant want = at("2023-10-28T23:00:00Z");
  for (int minute = 0; minute < 240; ++minute, want = want + minutes(1)) {
    const LocalTime local = to_local(want, oslo()->utc_offset(want));
    CAPTURE(minute);
    world.now = want;
    const auto read = world.clock.resolve(TimeStamp{local}, world.file, world.now);
    REQUIRE(read.has_value());
    REQUIRE(read->time == want);
    REQUIRE(read->doubt == TimeDoubt::kNone);
  }
}

TEST_CASE("EventTime: spring skips an hour, and a time in it is in doubt") {
  World world{oslo()};
  CHECK(world.resolve({"2023-03-26 01:59:59", "2023-03-26 03:00:00"}) ==
        Texts{"2023-03-26T00:59:59", "2023-03-26T01:00:00"});
  // It is read with the offset before the change; also twice, whatever is remembered.
  CHECK(world.resolve({"2023-03-26 02:30:00", "2023-03-26 02:30:01"}) ==
        Texts{"2023-03-26T01:30:00?s", "2023-03-26T01:30:01?s"});
}

TEST_CASE("EventTime: an offset in the text decides, whatever the zone") {
  World world{oslo()};
  TimeStamp in_text = stamp("2023-10-29 02:30:00");
  in_text.utc_offset = hours(1);
  CHECK(world.resolve(in_text) == "2023-10-29T01:30:00");
  CHECK(world.file.in_force == at("2023-10-29T01:30:00Z"));
  World utc{nullptr};
  CHECK(utc.resolve({"2023-10-29 02:30:00"}) == Texts{"2023-10-29T02:30:00"});
}

TEST_CASE("EventTime: a zone's name that means several things claims no time without a zone") {
  World utc{nullptr};
  utc.format = "%Y-%m-%d %H:%M:%S %Z";
  CHECK(utc.resolve({"2023-07-01 12:00:00 IST"}) == Texts{"none"});
  CHECK_FALSE(utc.file.in_force.has_value());
  World world{oslo()};
  world.format = utc.format;
  CHECK(world.resolve({"2023-07-01 12:00:00 IST"}) == Texts{"2023-07-01T10:00:00"});
}

TEST_CASE("EventTime: a year left out is the one that fits the order") {
  struct Case {
    std::string_view name;
    std::optional<std::string_view> in_force;
    std::optional<std::string_view> now;
    std::string_view local;
    std::string_view want;
  };
  const std::vector<Case> cases{
      {"nothing is known", std::nullopt, std::nullopt, "Feb 28 12:00:00", "none"},
      {"this year", std::nullopt, "2023-03-01T00:00:00Z", "Feb 28 12:00:00", "2023-02-28T12:00:00"},
      {"last year", std::nullopt, "2023-01-02T00:00:00Z", "Dec 31 23:00:00", "2022-12-31T23:00:00"},
      {"a clock ahead of ours", std::nullopt, "2022-12-31T23:59:00Z", "Jan  1 00:00:30",
       "2023-01-01T00:00:30"},
      {"over New Year", "2022-12-31T23:59:59Z", std::nullopt, "Jan  1 00:00:00",
       "2023-01-01T00:00:00"},
      {"disorder over New Year", "2023-01-01T00:00:01Z", std::nullopt, "Dec 31 23:59:59",
       "2022-12-31T23:59:59"},
      {"a leap day", "2024-02-28T23:59:59Z", std::nullopt, "Feb 29 00:00:00",
       "2024-02-29T00:00:00"},
      {"a leap day some years ago", std::nullopt, "2023-06-01T00:00:00Z", "Feb 29 00:00:00",
       "2020-02-29T00:00:00"},
      {"a leap day to come", "2022-06-01T00:00:00Z", std::nullopt, "Feb 29 00:00:00",
       "2024-02-29T00:00:00"},
      {"a clock set back by a month, live", "2023-06-01T00:00:00Z", "2023-06-01T00:00:10Z",
       "May  1 00:00:00", "2023-05-01T00:00:00"},
      {"half a year of silence", "2023-01-01T00:00:00Z", "2023-07-02T00:00:00Z", "Jul  1 00:00:00",
       "2023-07-01T00:00:00"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    World world{nullptr};
    world.format = "%b %e %H:%M:%S";
    if (c.in_force) world.file.in_force = at(*c.in_force);
    if (c.now) world.now = at(*c.now);
    CHECK(world.resolve({c.local}) == Texts{std::string{c.want}});
  }
}

TEST_CASE("EventTime: a date left out is the one that fits the order, and in doubt") {
  World world{oslo()};
  world.format = "%H:%M:%S";
  CHECK(world.resolve({"23:59:58"}) == Texts{"none"});
  world.file.in_force = at("2023-02-01T22:59:00Z");  // 23:59 in Oslo
  CHECK(world.resolve({"23:59:58", "00:00:03", "23:59:59", "00:00:04", "12:00:00"}) ==
        Texts{"2023-02-01T22:59:58?d", "2023-02-01T23:00:03?d", "2023-02-01T22:59:59?d",
              "2023-02-01T23:00:04?d", "2023-02-02T11:00:00?d"});
  World live{oslo()};
  live.format = "%H:%M:%S";
  live.now = at("2023-02-01T23:00:10Z");
  CHECK(live.resolve({"23:59:58", "00:00:03"}) ==
        Texts{"2023-02-01T22:59:58?d", "2023-02-01T23:00:03?d"});
}

TEST_CASE("EventTime: the file's own offset, and the zone where it agrees") {
  const TimeStamp winter = stamp("2023-02-01 09:00:00");
  SUBCASE("no zone: no time before the offset is said, then the offset") {
    World world{nullptr};
    CHECK(world.resolve(winter, true) == "none");
    world.clock.note_offset(hours(3), winter, world.file);
    CHECK(world.resolve(winter, true) == "2023-02-01T06:00:00");
    CHECK(world.resolve(stamp("2023-07-01 09:00:00"), true) == "2023-07-01T06:00:00");
    world.file = file_time_from_text(to_text(world.file));
    CHECK(world.resolve(winter, true) == "2023-02-01T06:00:00");
  }
  SUBCASE("the zone agrees: it knows of summer") {
    World world{oslo()};
    CHECK(world.resolve(winter, true) == "2023-02-01T08:00:00");
    world.clock.note_offset(hours(1), winter, world.file);
    CHECK(world.file.zone_agrees);
    CHECK(world.resolve(stamp("2023-07-01 09:00:00"), true) == "2023-07-01T07:00:00");
  }
  SUBCASE("the zone is not the server's: the file is right") {
    World world{oslo()};
    world.clock.note_offset(hours(-4), winter, world.file);
    CHECK_FALSE(world.file.zone_agrees);
    CHECK(world.resolve(winter, true) == "2023-02-01T13:00:00");
  }
}

TEST_CASE("FileTime: kept as text, and nothing of what is not one") {
  FileTime time;
  CHECK(to_text(time).empty());
  time.in_force = Instant{1'675'242'000'000};
  time.doubt = TimeDoubt::kArrival;
  CHECK(file_time_from_text(to_text(time)) == time);
  time.utc_offset = minutes(-210);
  time.zone_agrees = true;
  CHECK(file_time_from_text(to_text(time)) == time);
  for (const std::string_view text : {"", ",", "1,2,3", "1,9,,0", "x,0,,0", "1,0,,0,", "1,-1,,0"}) {
    CAPTURE(text);
    CHECK(file_time_from_text(text) == FileTime{});
  }
}

}  // namespace
}  // namespace meldevakt::agent
