#include "collector/http/rate_limit.h"

#include <doctest/doctest.h>

namespace meldevakt::collector {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

TEST_CASE("so many failures a window, an address; success costs nothing") {
  FailureLimit limit{3, minutes(1)};
  for (int i = 0; i < 100; ++i) CHECK(limit.allows("a", i));
  for (int i = 0; i < 3; ++i) {
    CHECK(limit.allows("a", i * kSecond));
    limit.failed("a", i * kSecond);
  }
  CHECK_FALSE(limit.allows("a", 3 * kSecond));
  CHECK(limit.allows("b", 3 * kSecond));
  CHECK_FALSE(limit.allows("a", 60 * kSecond - 1));
  CHECK(limit.allows("a", 60 * kSecond));
  limit.failed("a", 60 * kSecond);  // a new window
  CHECK(limit.allows("a", 61 * kSecond));
}

TEST_CASE("the table has a bound, and forgets what is over") {
  FailureLimit limit{1, minutes(1)};
  for (std::size_t i = 0; i < FailureLimit::kKeysMax + 10; ++i) limit.failed(std::to_string(i), 0);
  CHECK_FALSE(limit.allows("stranger", kSecond));
  CHECK(limit.allows("stranger", 60 * kSecond));
  limit.failed("stranger", 60 * kSecond);
  CHECK_FALSE(limit.allows("stranger", 61 * kSecond));
}

}  // namespace
}  // namespace meldevakt::collector
