#include "collector/correlate/claims.h"

#include <doctest/doctest.h>

#include <cstdint>

namespace meldevakt::collector {
namespace {

TEST_CASE("claims_of: a clock may be off by its offset, either way, and its error together") {
  struct Case {
    std::int64_t offset_us;
    std::int64_t max_error_us;
    std::int64_t ms;
  };
  const Case cases[] = {
      {0, 0, 0},
      {0, 1'000, 1},
      {0, 1'001, 2},
      {-250, 1'500, 3},
      {250, 1'500, 3},
      {-3'000'000, 500'000, 3'500},
      {0, INT64_MAX, 9'223'372'036'854'776},
      {-3'155'760'000'000'000, INT64_MAX, 9'226'527'796'854'776},
  };
  for (const Case& one : cases) {
    CAPTURE(one.offset_us);
    CAPTURE(one.max_error_us);
    Statement statement;
    statement.clock = {"synchronised", one.offset_us, one.max_error_us, false};
    statement.sources.resize(2);
    const std::vector<LedgerCoverage> claims = claims_of(statement, statement.span.to);
    REQUIRE(claims.size() == 2);
    CHECK(claims[0].clock_error.ms == one.ms);
    CHECK(claims[1].clock_error.ms == one.ms);
  }
}

TEST_CASE("claims_of: a statement that ends after it was received is of a clock that is ahead") {
  const Instant received{1'700'000'000'000};
  Statement statement;
  statement.clock = {"synchronised", 0, 1'000, false};
  statement.span = {received + days(1) - minutes(1), received + days(1)};
  statement.sources.resize(3);
  statement.sources[0].complete = Interval{received - hours(1), received + days(1)};
  statement.sources[1].complete = Interval{received - hours(2), received - hours(1)};
  statement.sources[2].complete = Interval{received + hours(1), received + hours(2)};
  const std::vector<LedgerCoverage> claims = claims_of(statement, received);
  REQUIRE(claims.size() == 3);
  CHECK(claims[0].clock_error == days(1));
  CHECK(claims[0].source.complete == Interval{received - hours(1), received});
  CHECK(claims[1].source.complete == statement.sources[1].complete);
  CHECK(claims[2].source.complete == std::nullopt);
  // A clock that is a little ahead loses nothing: the next statement goes on where this one ended.
  statement.span.to = received + kClockWrong;
  CHECK(claims_of(statement, received)[0].source.complete == statement.sources[0].complete);
  // Late is not ahead: it may have waited.
  const std::vector<LedgerCoverage> late = claims_of(statement, received + days(9));
  CHECK(late[0].clock_error == milliseconds(1));
  CHECK(late[0].source.complete == statement.sources[0].complete);
}

TEST_CASE("claims_without_facts: what cannot be opened was not read, nor the time it was told in") {
  Statement statement;
  statement.agent = "a1";
  statement.span = {Instant{0} + days(700), Instant{0} + days(700) + minutes(1)};
  statement.sources.resize(2);
  statement.sources[0].complete = Interval{Instant{0} + days(1), Instant{0} + days(2)};
  const std::vector<LedgerCoverage> claims = claims_without_facts(statement, statement.span.to);
  REQUIRE(claims.size() == 2);
  const Interval told{statement.span.from - kToldBehind, statement.span.to};
  CHECK(!claims[0].source.complete);
  REQUIRE(claims[0].source.event_gaps.size() == 2);
  CHECK(claims[0].source.event_gaps[0].span == *statement.sources[0].complete);
  CHECK(claims[0].source.event_gaps[1].span == told);
  REQUIRE(claims[1].source.event_gaps.size() == 1);
  CHECK(claims[1].source.event_gaps[0].span == told);
}

}  // namespace
}  // namespace meldevakt::collector
