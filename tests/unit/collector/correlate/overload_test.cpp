#include "collector/correlate/overload.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/collector/correlate/random_world.h"

namespace meldevakt::collector {
namespace {

using meldevakt::testing::SeededRandom;
using testing::at;
using testing::SmallWorld;

void window(SmallWorld& world, const std::string& agent, const std::string& source, double from,
            double to, const std::string& driver, std::uint64_t signals = 1,
            std::uint64_t metrics = 0) {
  world.agent = agent;
  world.add(WindowFact{{at(from), at(to)}, false, {{Signal::kDbTimeout, signals}}, driver, metrics})
      .source = source;
}

std::string told(const SmallWorld& world) {
  std::string out;
  for (const Overload& overload : overloads_of(world.input)) {
    out += std::string{to_string(overload.state)} + " " + overload.driver + " " +
           std::to_string((overload.span.from - at(0)).ms / 1000) + "-" +
           std::to_string((overload.span.to - at(0)).ms / 1000) + " by " +
           std::to_string(overload.witnesses.size()) + ";";
  }
  return out;
}

TEST_CASE("overload: one source suspects, a second or a metric confirms") {
  SmallWorld world;
  window(world, "a1", "sql", 0, 10, "timeout", 9);
  CHECK(told(world) == "suspected timeout 0-10 by 1;");
  window(world, "a1", "sql", 5, 12, "timeout");  // the same witness again
  CHECK(told(world) == "suspected timeout 0-12 by 1;");
  window(world, "a2", "veeam", 8, 30, "backup");
  CHECK(told(world) == "confirmed backup 0-30 by 2;");
  window(world, "a1", "host", 40, 50, "cpu", 3, 3);
  CHECK(told(world) == "confirmed backup 0-30 by 2;confirmed cpu 40-50 by 1;");
}

TEST_CASE(
    "overload: a backup of another system that encloses it is the driver, as far as clocks say") {
  SmallWorld world;
  window(world, "a1", "sql", 100, 130, "storage_full", 9);
  window(world, "a2", "veeam", 60, 140, "backup");
  CHECK(told(world) == "confirmed backup 60-140 by 2;");
  SmallWorld later;  // the disk was full before it began: that says more, and more often
  window(later, "a1", "sql", 100, 130, "storage_full", 9);
  window(later, "a2", "veeam", 110, 140, "backup");
  CHECK(told(later) == "confirmed storage_full 100-140 by 2;");
  SmallWorld waits;  // but a backup says more than locks
  window(waits, "a1", "sql", 100, 130, "lock_wait", 9);
  window(waits, "a2", "veeam", 110, 140, "backup");
  CHECK(told(waits) == "confirmed backup 100-140 by 2;");
}

TEST_CASE("overload: windows of one source as near as an agent's own signals are one") {
  SmallWorld world;
  window(world, "a1", "sql", 0, 10, "timeout", 2);
  window(world, "a1", "sql", 70, 80, "lock_wait");
  CHECK(told(world) == "suspected lock_wait 0-80 by 1;");
  window(world, "a1", "sql", 141, 150, "timeout");
  CHECK(told(world) == "suspected lock_wait 0-80 by 1;suspected timeout 141-150 by 1;");
  window(world, "a1", "iis", 100, 120, "slow");  // another source is another witness
  CHECK(
      told(world) ==
      "suspected lock_wait 0-80 by 1;suspected slow 100-120 by 1;suspected timeout 141-150 by 1;");
  window(world, "a1", "sql", 90, 95, "timeout");
  window(world, "a1", "sql", 110, 115, "timeout");
  CHECK(told(world) == "confirmed lock_wait 0-150 by 2;");
}

TEST_CASE("overload: clocks that may be off bring windows together") {
  SmallWorld world;
  window(world, "a1", "sql", 0, 10, "lock_wait");
  window(world, "a2", "iis", 13, 20, "slow", 50);
  CHECK(told(world) == "suspected lock_wait 0-10 by 1;suspected slow 13-20 by 1;");
  world.agent = "a2";
  world.covered("iis", {}, 0, 1).clock_error = seconds(2);
  CHECK(told(world) == "suspected lock_wait 0-10 by 1;suspected slow 13-20 by 1;");
  world.input.coverage.back().clock_error = seconds(3);
  CHECK(told(world) == "confirmed lock_wait 0-20 by 2;");
}

TEST_CASE("overload: order, repetition and lateness do not matter") {
  const std::uint64_t seed = testing::seed_of_this_run();
  CAPTURE(seed);
  for (std::uint64_t i = 0; i < 100; ++i) {
    SeededRandom random{seed + i};
    SmallWorld world;
    const std::string drivers[] = {"", "timeout", "slow", "lock_wait", "backup", "log_full"};
    for (std::uint64_t w = 0; w < 8; ++w) {
      const auto from = static_cast<double>(random.below(60));
      window(world, "a" + std::to_string(random.below(2)), "s" + std::to_string(random.below(3)),
             from, from + static_cast<double>(random.below(9)), drivers[random.below(6)],
             1 + random.below(3));
      LedgerFact open = world.input.facts.back();  // what was said of it while it was open
      world.input.facts.back().fact.revision = 2;
      std::get<WindowFact>(open.fact.what).span.to = at(from);
      if (random.below(2) == 0) world.input.facts.push_back(open);
    }
    const std::string before = told(world);
    std::reverse(world.input.facts.begin(), world.input.facts.end());
    world.input.facts.push_back(LedgerFact{world.input.facts.front()});
    REQUIRE(told(world) == before);
  }
}

TEST_CASE("overload: as bad as the worst of its signals") {
  struct Case {
    std::vector<Signal> signals;
    OverloadSeverity severity;
  };
  const Case cases[] = {
      {{Signal::kDbLockWait}, OverloadSeverity::kSlowed},
      {{Signal::kBackupStarted, Signal::kInfraDiskSlow}, OverloadSeverity::kSlowed},
      {{Signal::kDbLockWait, Signal::kDbTimeout}, OverloadSeverity::kFailing},
      {{Signal::kDbLogFull, Signal::kDbTimeout}, OverloadSeverity::kRefusing},
      {{Signal::kDbConnectionsRefused}, OverloadSeverity::kRefusing},
  };
  for (const Case& one : cases) {
    SmallWorld world;
    WindowFact window;
    window.span = {at(0), at(10)};
    for (const Signal signal : one.signals) window.signals.push_back({signal, 1});
    std::sort(window.signals.begin(), window.signals.end());
    world.add(window);
    const std::vector<Overload> all = overloads_of(world.input);
    REQUIRE(all.size() == 1);
    CHECK(all[0].severity == one.severity);
    CHECK(to_string(all[0].severity) == to_string(one.severity));
  }
}

}  // namespace
}  // namespace meldevakt::collector
