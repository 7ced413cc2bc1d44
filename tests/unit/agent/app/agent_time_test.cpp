#include "agent/app/agent_time.h"

#include <doctest/doctest.h>

#include "common/testing/doubles.h"

namespace meldevakt::agent {
namespace {

using meldevakt::testing::ManualClock;

TEST_CASE("AgentTime: never backwards, never claiming while behind, and back on time") {
  const Instant start{1'600'000'000'000};
  ManualClock clock{start};
  AgentTime time{clock, Instant{}};
  clock.advance(seconds(10));
  time.advance();
  CHECK(time.now() == start + seconds(10));
  CHECK_FALSE(time.behind());
  CHECK_FALSE(time.take_stepped());

  clock.step_wall(seconds(-20));
  Instant last = time.now();
  time.advance();
  CHECK(time.behind());
  CHECK(time.take_stepped());
  int turns = 0;
  while (time.behind()) {
    REQUIRE(++turns < 1000);
    clock.advance(milliseconds(100));
    time.advance();
    CHECK(time.now() >= last);
    last = time.now();
  }
  CHECK(turns >= 398);  // twice the step
  CHECK(turns <= 400);
  CHECK_FALSE(time.take_stepped());

  clock.step_wall(hours(1));
  time.advance();
  CHECK(time.now() == clock.now());
  CHECK(time.take_stepped());
}

TEST_CASE("AgentTime: begins no earlier than the newest statement's end") {
  ManualClock clock{Instant{1'600'000'000'000}};
  AgentTime time{clock, clock.now() + seconds(5)};
  CHECK(time.behind());
  CHECK(time.now() == clock.now() + seconds(5));
}

}  // namespace
}  // namespace meldevakt::agent
