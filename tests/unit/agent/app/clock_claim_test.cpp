#include "agent/app/clock_claim.h"

#include <doctest/doctest.h>

#include "tests/unit/agent/app/agent_world.h"

namespace meldevakt::agent {
namespace {

using testing::AgentWorld;

TEST_CASE(
    "clock claim: what the kernel vouches for, and more where the collector's clock differs") {
  struct Case {
    std::string_view name;
    ClockQuality quality;
    std::optional<ClockDifference> difference;
    std::int64_t max_error_us;
    std::string_view words;
  };
  const ClockQuality good{true, -250, 1500};  // known: 2 ms
  const ClockQuality none{};                  // known: 2 s
  const auto ms = [](std::int64_t least, std::int64_t most) {
    return std::optional{ClockDifference{milliseconds(least), milliseconds(most)}};
  };
  const std::vector<Case> cases{
      {"not compared", good, {}, 1500, ""},
      {"nothing vouched for, not compared", none, {}, 2'000'000, ""},
      {"as far as a slow network can tell", good, ms(-400, 900), 1500, ""},
      {"within what is vouched for", good, ms(2, 40), 1500, ""},
      {"a moment more", good, ms(3, 40), 40'000, "0.0 s ahead of"},
      {"ahead", good, ms(93'200, 93'260), 93'260'000, "93.2 s ahead of"},
      {"behind", good, ms(-93'260, -93'200), 93'260'000, "93.2 s behind"},
      {"behind, within", good, ms(-40, -2), 1500, ""},
      {"a small one of a clock that follows nothing", none, ms(1900, 1950), 2'000'000, ""},
      {"a large one of a clock that follows nothing", none, ms(-86'400'050, -86'400'000),
       86'400'050'000, "86400.0 s behind"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const ClockState state = clock_state(c.quality, seconds(2), c.difference);
    CHECK(state.source == (c.quality.synchronised ? "synchronised" : "unsynchronised"));
    CHECK(state.offset_us == c.quality.offset_us);
    CHECK(state.max_error_us == c.max_error_us);
    CHECK(words_of_difference(known_clock_error(c.quality, seconds(2)), c.difference) == c.words);
  }
}

TEST_CASE("Agent: a clock that differs from the collector's is claimed so, and said once") {
  AgentWorld world;
  world.enrol("t1", "A");
  world.clocks_are_compared = true;
  world.start();
  world.received(testing::kIdA);
  world.run(seconds(2));
  const auto& statements = world.collector.tenants.at("t1").statements;
  CHECK(statements.empty());  // nobody has compared it yet
  world.difference = ClockDifference{seconds(90), seconds(90) + milliseconds(30)};
  world.run(minutes(2));
  REQUIRE_FALSE(statements.empty());
  for (const Statement& statement : statements) CHECK(statement.clock.max_error_us == 90'030'000);
  world.committed(testing::kIdA);
  world.run(minutes(3));
  CHECK(world.logged("clock: this host's is 90.0 s ahead of the collector's") == 1);
  world.difference = ClockDifference{Duration{}, milliseconds(30)};
  world.run(minutes(2));
  CHECK(statements.back().clock.max_error_us == 1000);
  CHECK(world.logged("clock: this host's and the collector's agree again") == 1);
  CHECK(world.logged("clock: this host's is") == 1);
}

TEST_CASE("Agent: a collector that cannot be asked is waited for no longer than three seconds") {
  AgentWorld world;
  world.enrol("t1", "A");
  world.clocks_are_compared = true;
  world.start();
  world.received(testing::kIdA);
  world.run(kCompareWait + seconds(3));
  const auto& statements = world.collector.tenants.at("t1").statements;
  REQUIRE_FALSE(statements.empty());
  CHECK(statements.front().clock.max_error_us == 1000);
  // A stop waits for nobody.
  AgentWorld other;
  other.enrol("t1", "A");
  other.clocks_are_compared = true;
  other.start();
  other.received(testing::kIdA);
  other.run(seconds(2));
  CHECK(other.agent->stop());
  CHECK_FALSE(other.collector.tenants.at("t1").statements.empty());
}

}  // namespace
}  // namespace meldevakt::agent
