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

TimeStamp stamp(std::string_view text) {
  const auto format = TimeFormat::parse("%Y-%m-%d %H:%M:%S");
  REQUIRE(format.has_value());
  const auto read = format.value().read(text);
  REQUIRE(read.has_value());
  return *read;
}

std::vector<std::string> resolve(EventTime& clock, const std::vector<std::string_view>& locals) {
  std::vector<std::string> out;
  for (const std::string_view local : locals) {
    out.push_back(to_rfc3339(clock.resolve(stamp(local))).substr(0, 19));
  }
  return out;
}

using Texts = std::vector<std::string>;

TEST_CASE("EventTime: local times in summer and winter, again and again") {
  EventTime clock{oslo()};
  CHECK(resolve(clock, {"2023-01-15 12:00:00", "2023-01-15 12:00:59", "2023-07-15 12:00:00",
                        "2023-01-15 12:00:01"}) ==
        Texts{"2023-01-15T11:00:00", "2023-01-15T11:00:59", "2023-07-15T10:00:00",
              "2023-01-15T11:00:01"});
}

TEST_CASE("EventTime: autumn's repeated hour is read nearest after the time in force") {
  EventTime clock{oslo()};
  // 2023-10-29: 02:00-03:00 twice; the first time is 00:xx UTC, the second 01:xx.
  CHECK(resolve(clock, {"2023-10-29 01:59:58", "2023-10-29 02:00:01", "2023-10-29 02:59:58",
                        "2023-10-29 02:00:02", "2023-10-29 02:00:01", "2023-10-29 02:00:20",
                        "2023-10-29 02:59:59", "2023-10-29 03:00:00"}) ==
        Texts{"2023-10-28T23:59:58", "2023-10-29T00:00:01", "2023-10-29T00:59:58",
              "2023-10-29T01:00:02", "2023-10-29T01:00:01", "2023-10-29T01:00:20",
              "2023-10-29T01:59:59", "2023-10-29T02:00:00"});
}

TEST_CASE("EventTime: a record late over the border of the two hours is still of the first") {
  EventTime clock{oslo()};
  CHECK(resolve(clock, {"2023-10-29 02:59:59", "2023-10-29 02:00:01", "2023-10-29 02:59:58",
                        "2023-10-29 02:00:02"}) ==
        Texts{"2023-10-29T00:59:59", "2023-10-29T01:00:01", "2023-10-29T00:59:58",
              "2023-10-29T01:00:02"});
}

TEST_CASE("EventTime: the time in force survives a restart, and decides") {
  EventTime clock{oslo()};
  clock.set_in_force(from_rfc3339("2023-10-29T01:10:00Z").value());
  CHECK(resolve(clock, {"2023-10-29 02:10:05"}) == Texts{"2023-10-29T01:10:05"});
  EventTime fresh{oslo()};
  CHECK_FALSE(fresh.in_force().has_value());
  CHECK(resolve(fresh, {"2023-10-29 02:10:05"}) == Texts{"2023-10-29T00:10:05"});
}

TEST_CASE("EventTime: every minute of the night that autumn makes longer, in order") {
  EventTime clock{oslo()};
  Instant want = from_rfc3339("2023-10-28T23:00:00Z").value();
  for (int minute = 0; minute < 240; ++minute, want = want + minutes(1)) {
    const LocalTime local = to_local(want, oslo()->utc_offset(want));
    CAPTURE(minute);
    REQUIRE(clock.resolve({local, std::nullopt}) == want);
  }
}

TEST_CASE("EventTime: spring skips an hour") {
  EventTime clock{oslo()};
  CHECK(resolve(clock, {"2023-03-26 01:59:59", "2023-03-26 03:00:00"}) ==
        Texts{"2023-03-26T00:59:59", "2023-03-26T01:00:00"});
  // A local time that does not exist is read with the offset before the change.
  CHECK(resolve(clock, {"2023-03-26 02:30:00"}) == Texts{"2023-03-26T01:30:00"});
}

TEST_CASE("EventTime: an offset in the text decides, whatever the zone") {
  EventTime clock{oslo()};
  TimeStamp in_text = stamp("2023-10-29 02:30:00");
  in_text.utc_offset = hours(1);
  CHECK(to_rfc3339(clock.resolve(in_text)) == "2023-10-29T01:30:00.000Z");
  CHECK(clock.in_force() == from_rfc3339("2023-10-29T01:30:00Z").value());
  EventTime utc{nullptr};
  CHECK(resolve(utc, {"2023-10-29 02:30:00"}) == Texts{"2023-10-29T02:30:00"});
}

}  // namespace
}  // namespace meldevakt::agent
