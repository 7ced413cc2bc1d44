#include "common/testing/doubles.h"

#include <doctest/doctest.h>

#include <string>

namespace meldevakt::testing {
namespace {

TEST_CASE("SeededRandom: the sequence of SplitMix64, the same on every machine") {
  SeededRandom random{1234567};
  CHECK(random.next() == 6457827717110365317U);
  CHECK(random.next() == 3203168211198807973U);
  CHECK(random.next() == 9817491932198370423U);
}

TEST_CASE("SeededRandom: bytes are its words, cut to size") {
  SeededRandom words{5};
  SeededRandom bytes{5};
  std::string want;
  for (int i = 0; i < 3; ++i) {
    std::uint64_t word = words.next();
    for (int k = 0; k < 8; ++k, word >>= 8U) want.push_back(static_cast<char>(word & 0xffU));
  }
  CHECK(bytes.bytes(19) == want.substr(0, 19));
  CHECK(bytes.bytes(0).empty());
  CHECK(SeededRandom{5}.bytes(24) == want);
  CHECK(SeededRandom{6}.bytes(24) != want);
  for (int i = 0; i < 100; ++i) REQUIRE(bytes.below(7) < 7);
}

TEST_CASE("ManualClock: both clocks advance; a step moves the wall clock alone") {
  ManualClock clock{Instant{1000}};
  const std::int64_t boot = clock.boot_ns();
  clock.advance(seconds(2));
  CHECK(clock.now() == Instant{3000});
  CHECK(clock.boot_ns() - boot == 2'000'000'000);
  clock.step_wall(Duration{-2500});
  CHECK(clock.now() == Instant{500});
  CHECK(clock.boot_ns() - boot == 2'000'000'000);
  CHECK_FALSE(clock.boot_id().empty());
}

}  // namespace
}  // namespace meldevakt::testing
