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
    const std::vector<LedgerCoverage> claims = claims_of(statement);
    REQUIRE(claims.size() == 2);
    CHECK(claims[0].clock_error.ms == one.ms);
    CHECK(claims[1].clock_error.ms == one.ms);
  }
}

}  // namespace
}  // namespace meldevakt::collector
