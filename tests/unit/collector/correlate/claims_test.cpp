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

// The statement that ends `n` minutes after the day 700, of a source "a" that claims so much.
Statement statement_of(std::int64_t n, std::optional<Interval> complete, std::size_t sources = 1) {
  Statement out;
  out.agent = "a1";
  out.sequence = static_cast<std::uint64_t>(n);
  out.span = {Instant{0} + days(700) + minutes(n - 1), Instant{0} + days(700) + minutes(n)};
  out.sources.resize(sources);
  if (sources > 0) out.sources[0].id = "a";
  if (sources > 0) out.sources[0].complete = complete;
  return out;
}

std::vector<LedgerCoverage> claimed(StatementClaims& claims, const Statement& statement,
                                    Instant received, bool opened) {
  TenantInput part;
  claims.take(statement, received, opened, {}, part);
  return part.coverage;
}

TEST_CASE("StatementClaims: what cannot be opened was not read, wherever it is claimed") {
  const Interval day{Instant{0} + days(1), Instant{0} + days(2)};
  const Interval next{day.to, day.to + days(1)};
  StatementClaims claims;
  const auto take = [&](const Statement& statement, bool opened) {
    return claimed(claims, statement, statement.span.to, opened);
  };
  CHECK(take(statement_of(1, day), true)[0].source.complete == day);
  // The first statements of a large seal have no sources: what is claimed next is void.
  CHECK(take(statement_of(2, {}, 0), false).empty());
  const auto waits = take(statement_of(3, {}), true);
  REQUIRE(waits[0].source.event_gaps.size() == 1);
  CHECK(waits[0].source.event_gaps[0].span ==
        Interval{statement_of(2, {}).span.from - kToldBehind, statement_of(2, {}).span.to});
  for (unsigned n = 0; n < kClaimsVoided; ++n) {
    const auto voided = take(statement_of(4 + n, next), true);
    CHECK(!voided[0].source.complete);
    REQUIRE(voided[0].source.event_gaps.size() == 2);
    CHECK(voided[0].source.event_gaps[1].span == next);
  }
  const auto again = take(statement_of(4 + kClaimsVoided, next), true);
  CHECK(again[0].source.complete == next);
  CHECK(again[0].source.event_gaps.empty());
  // Heard of once more: it was taken.
  CHECK(take(statement_of(1, day), true).empty());
  // Its own claim; and what goes on is what is left over.
  CHECK(!take(statement_of(10, day), false)[0].source.complete);
  claims.lose("a1", statement_of(11, {}).span.to);
  StatementClaims other;
  other.go_on_from(claims.lost());
  const Statement late = statement_of(12, day);
  CHECK(!claimed(other, late, late.span.to, true)[0].source.complete);
  (void)take(late, true);
  CHECK(take(statement_of(13 + 2 * 24 * 60, day), true)[0].source.complete ==
        day);  // of another time
}

TEST_CASE("StatementClaims: a lost statement was made where its neighbours leave room for it") {
  const Interval day{Instant{0} + days(1), Instant{0} + days(2)};
  struct Case {
    std::string_view name;
    bool first;     // the agent's first statement is the lost one
    bool restarts;  // between the lost one and the next
    Interval want;  // of the gap
  };
  const Instant received = statement_of(9, {}).span.to + days(4);
  const std::vector<Case> cases{
      {"sent days late", false, false, {statement_of(1, {}).span.to, statement_of(4, {}).span.to}},
      {"read by one, gone on from by another",
       false,
       true,
       {statement_of(1, {}).span.to, statement_of(4, {}).span.to}},
      {"the agent's first", true, false, {statement_of(4, {}).span.from, received}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    StatementClaims claims;
    if (!c.first) (void)claimed(claims, statement_of(1, day), received, true);
    claims.lose("a1", received);
    claims.lose("a1", received);  // two in a row
    StatementClaims other;
    other.go_on_from(claims.lost());
    const auto next = claimed(c.restarts ? other : claims, statement_of(4, {}), received, true);
    REQUIRE(next[0].source.event_gaps.size() == 1);
    CHECK(next[0].source.event_gaps[0].span == Interval{c.want.from - kToldBehind, c.want.to});
  }
}

TEST_CASE("StatementClaims: what a large seal tells was read up to its end") {
  const Interval day{Instant{0} + days(1), Instant{0} + days(2)};
  for (const bool whole : {false, true}) {  // the body, or the statement itself
    CAPTURE(whole);
    StatementClaims claims;
    (void)claimed(claims, statement_of(1, day), statement_of(1, {}).span.to, true);
    const Instant begin = statement_of(1, {}).span.to;
    const Instant end = begin + days(3);
    Statement lost = statement_of(2, {}, 0);
    lost.span = {begin, begin};
    if (whole) {
      claims.lose("a1", end);
    } else {
      CHECK(claimed(claims, lost, end, false).empty());
    }
    Statement more = statement_of(3, {}, 0);
    more.span = {begin, begin};
    (void)claimed(claims, more, end, true);
    Statement last = statement_of(4, day);
    last.span = {begin, end};
    TenantInput part;
    claims.take(last, end, true, {{"npb", {begin - days(9), end - minutes(1)}}}, part);
    CHECK(part.receipt_coverage.empty());
    REQUIRE(part.coverage.size() == 1);
    CHECK(!part.coverage[0].source.complete);
    REQUIRE(!part.coverage[0].source.event_gaps.empty());
    CHECK(part.coverage[0].source.event_gaps[0].span == Interval{begin - kToldBehind, end});
    // Its end is what is soon after: the next claims are void, too.
    Statement next = statement_of(5, day);
    next.span = {end, end + minutes(1)};
    CHECK(!claimed(claims, next, next.span.to, true)[0].source.complete);
  }
}

TEST_CASE("StatementClaims: a clock that is behind does not say when rows were lost") {
  StatementClaims claims;
  const Instant received = statement_of(1, {}).span.to + days(1);
  (void)claimed(claims, statement_of(1, {}), received, false);
  TenantInput part;
  claims.take(statement_of(2, {}), received, true,
              {{"npb", {received - days(9), received - minutes(1)}}}, part);
  CHECK(part.receipt_coverage.empty());
}

TEST_CASE("StatementClaims: rows that cannot be opened are in no list that their agent tells of") {
  const Instant begin = Instant{0} + days(600);
  const auto listed = [&](StatementClaims& claims, const Statement& statement, bool opened) {
    TenantInput part;
    const ReceiptCoverage until_now{"npb", {begin, statement.span.to}};
    const ReceiptCoverage before{"npb", {begin, begin + days(1)}};
    claims.take(statement, statement.span.to, opened, {until_now, before}, part);
    return part.receipt_coverage;
  };
  const auto whole = [&](const std::vector<ReceiptCoverage>& lists) {
    return lists.size() == 2 && lists[0].span.from == begin;
  };
  StatementClaims claims;
  CHECK(whole(listed(claims, statement_of(1, {}), true)));
  const Statement lost = statement_of(2, {});
  CHECK(listed(claims, lost, false).empty());  // its rows, and all of them are from before its end
  // However late it is said again that the list is complete: its rows are told once.
  for (const std::int64_t n : {3, 4, 5, 6, 7, 2 * 24 * 60, 900 * 24 * 60}) {
    CAPTURE(n);
    const auto lists = listed(claims, statement_of(n, {}), true);
    REQUIRE(lists.size() == 1);
    CHECK(lists[0].span == Interval{lost.span.to, statement_of(n, {}).span.to});
  }
  // Another agent's word counts, and what goes on from here knows of it.
  Statement others = statement_of(9, {});
  others.agent = "a2";
  CHECK(whole(listed(claims, others, true)));
  StatementClaims other;
  other.go_on_from(claims.lost());
  CHECK(listed(other, statement_of(901 * 24 * 60, {}), true).size() == 1);
  // A whole statement that cannot be opened held rows, too.
  claims.lose("a2", statement_of(10, {}).span.to);
  others.span = statement_of(11, {}).span;
  others.sequence = 11;
  CHECK(listed(claims, others, true).size() == 1);
}

}  // namespace
}  // namespace meldevakt::collector
