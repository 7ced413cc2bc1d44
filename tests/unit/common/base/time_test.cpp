#include "common/base/time.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/testing/doubles.h"
#include "tests/unit/common/property.h"

namespace meldevakt {
namespace {

TEST_CASE("time: RFC 3339 texts and their milliseconds") {
  struct Case {
    std::string_view text;
    std::int64_t ms;
  };
  const std::vector<Case> cases{
      {"1970-01-01T00:00:00Z", 0},
      {"1970-01-01T00:00:00.001Z", 1},
      {"2023-02-15T09:14:22.101Z", 1'676'452'462'101},
      {"2023-02-15T10:14:22.101+01:00", 1'676'452'462'101},
      {"2023-02-15T03:44:22.101-05:30", 1'676'452'462'101},
      {"2023-02-15t09:14:22.101z", 1'676'452'462'101},
      {"2023-02-15T09:14:22.1Z", 1'676'452'462'100},
      {"2023-02-15T09:14:22.101999999Z", 1'676'452'462'101},  // cut, not rounded
      {"2000-02-29T00:00:00Z", 951'782'400'000},
      {"2016-12-31T23:59:60Z", 1'483'228'800'000},  // a leap second is the next second
      {"9999-12-31T23:59:59.999Z", 253'402'300'799'999},
      {"1970-01-01T01:00:00+01:00", 0},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const auto instant = from_rfc3339(c.text);
    REQUIRE(instant.has_value());
    CHECK(instant.value().ms == c.ms);
  }
  CHECK(to_rfc3339({1'676'452'462'101}) == "2023-02-15T09:14:22.101Z");
  CHECK(to_rfc3339({0}) == "1970-01-01T00:00:00.000Z");
  CHECK(to_rfc3339({-1}) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("time: what is no RFC 3339 time is refused, with an example of one") {
  for (const std::string_view text : {"",
                                      "2023-02-15",
                                      "2023-02-15T09:14:22",
                                      "2023-02-15 09:14:22Z",
                                      "2023-02-29T00:00:00Z",
                                      "1900-02-29T00:00:00Z",
                                      "2023-13-01T00:00:00Z",
                                      "2023-00-01T00:00:00Z",
                                      "2023-01-00T00:00:00Z",
                                      "2023-01-32T00:00:00Z",
                                      "2023-01-01T24:00:00Z",
                                      "2023-01-01T00:60:00Z",
                                      "2023-01-01T00:00:61Z",
                                      "2023-01-01T00:00:00.Z",
                                      "2023-01-01T00:00:00.1234567890Z",
                                      "2023-01-01T00:00:00,1Z",
                                      "2023-01-01T00:00:00+1:00",
                                      "2023-01-01T00:00:00+0100",
                                      "2023-01-01T00:00:00+24:00",
                                      "2023-01-01T00:00:00+01:60",
                                      "2023-01-01T00:00:00Zx",
                                      " 2023-01-01T00:00:00Z",
                                      "23-01-01T00:00:00Z",
                                      "1969-12-31T23:59:59Z",
                                      "1970-01-01T00:00:00+01:00",
                                      "9999-12-31T23:59:59-01:00",
                                      "-023-01-01T00:00:00Z"}) {
    CAPTURE(text);
    const auto instant = from_rfc3339(text);
    REQUIRE_FALSE(instant.has_value());
    CHECK(instant.error().code() == Errc::kInvalid);
  }
  CHECK(from_rfc3339("i går").error().message() ==
        "'i går' is not a time such as 2023-02-15T09:14:22.101Z or 2023-02-15T10:14:22+01:00");
}

TEST_CASE("time: every day from 1970 to 9999 is counted as a calendar counts it") {
  // The naive calendar: one day after the other.
  LocalTime day;
  for (std::int64_t n = 0; day.year <= 9999; ++n) {
    const Instant midnight{n * 86'400'000};
    if (as_utc(day) != midnight || to_local(midnight, {}) != day || !is_valid(day)) {
      CAPTURE(n);
      REQUIRE(to_rfc3339(midnight) == to_rfc3339(as_utc(day)));
    }
    LocalTime next = day;
    ++next.day;
    if (!is_valid(next)) next = {.year = day.year, .month = day.month + 1, .day = 1};
    if (!is_valid(next) && next.month > 12) next = {.year = day.year + 1, .month = 1, .day = 1};
    if (day.year == 9999 && next.year == 10000) break;
    day = next;
  }
  CHECK(day == LocalTime{.year = 9999, .month = 12, .day = 31});
}

TEST_CASE("time: texts and offsets lead back to the same instant") {
  testing::SeededRandom random{testing::property_seed()};
  for (int round = 0; round < 2000; ++round) {
    const Instant instant{static_cast<std::int64_t>(random.below(253'402'300'800'000))};
    CAPTURE(instant.ms);
    REQUIRE(from_rfc3339(to_rfc3339(instant)).value() == instant);
    const Duration offset = minutes(static_cast<std::int64_t>(random.below(2880)) - 1440);
    REQUIRE(as_utc(to_local(instant, offset)) - offset == instant);
  }
}

TEST_CASE("time: lengths of time as people write them") {
  struct Case {
    std::string_view text;
    std::int64_t ms;  // -1 = refused
  };
  const std::vector<Case> cases{{"10s", 10'000},
                                {"500 ms", 500},
                                {"100ms", 100},
                                {"2m", 120'000},
                                {"24h", 86'400'000},
                                {"14d", 1'209'600'000},
                                {"0s", 0},
                                {"100000d", 8'640'000'000'000'000 / 1000},
                                {"100001d", -1},
                                {"10", -1},
                                {"", -1},
                                {"s", -1},
                                {"10  s", -1},
                                {"10s ", -1},
                                {" 10s", -1},
                                {"-1s", -1},
                                {"1.5s", -1},
                                {"10S", -1},
                                {"10min", -1},
                                {"99999999999999999999s", -1}};
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const auto duration = parse_duration(c.text);
    CHECK(duration.has_value() == (c.ms >= 0));
    if (duration && c.ms >= 0) CHECK(duration.value().ms == c.ms);
  }
  CHECK(parse_duration("soon").error().message() ==
        "'soon' is not a length of time: write a whole number and one of ms, s, m, h, d, such as "
        "\"10s\" or \"14d\"");
}

TEST_CASE("Interval: half-open") {
  const Interval span{{10}, {20}};
  CHECK(span.contains({10}));
  CHECK_FALSE(span.contains({20}));
  CHECK(span.overlaps({{19}, {30}}));
  CHECK_FALSE(span.overlaps({{20}, {30}}));
  CHECK(Interval{{5}, {5}}.empty());
}

}  // namespace
}  // namespace meldevakt
