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

TEST_CASE("overload: confirmed where two sources surely overlap, whatever the clocks err") {
  SmallWorld world;
  window(world, "a1", "sql", 0, 10, "lock_wait");
  window(world, "a2", "iis", 8, 20, "slow", 50);
  CHECK(told(world) == "confirmed lock_wait 0-20 by 2;");
  world.agent = "a2";
  world.covered("iis", {}, 0, 1).clock_error = seconds(2);
  CHECK(told(world) == "confirmed lock_wait 0-20 by 2;");
  world.agent = "a1";
  world.covered("sql", {}, 0, 1).clock_error = milliseconds(1);
  CHECK(told(world) == "suspected lock_wait 0-20 by 2;");
  window(world, "a1", "trace", 9, 9, "timeout");  // two sources by one clock
  CHECK(told(world) == "confirmed lock_wait 0-20 by 3;");
}

TEST_CASE("overload: what clocks may err brings no windows together") {
  SmallWorld world;
  for (int i = 0; i < 10; ++i) {
    const std::string agent = "a" + std::to_string(i);
    window(world, agent, "trace", 58 * 60 * i, 58 * 60 * i, "timeout");
    world.covered("trace", {}, 0, 1).clock_error = minutes(30);
  }
  const std::vector<Overload> all = overloads_of(world.input);
  CHECK(all.size() == 10);
  for (const Overload& one : all) {
    CHECK(one.state == OverloadState::kSuspected);
    CHECK(one.span.from == one.span.to);
  }
}

// What stands in SQL Server's ERRORLOG, and the copies that it puts into the event log.
struct Copied : SmallWorld {
  Copied() {
    covered("errorlog", {}, 0, 1).source.pack.id = "mssql-errorlog";
    covered("events", {}, 0, 1).source.pack.id = "windows-events";
    covered("trace", {}, 0, 1).source.pack.id = "dotnet-serilog";
  }
  void tell(const std::string& source, double from, double to, const std::string& rule,
            std::uint64_t slow, std::uint64_t failed = 0) {
    WindowFact what;
    what.span = {at(from), at(to)};
    what.driver = "disk";
    if (failed > 0) what.signals.push_back({Signal::kDbTimeout, failed});
    if (slow > 0) what.signals.push_back({Signal::kInfraDiskSlow, slow});
    std::sort(what.signals.begin(), what.signals.end());
    Fact& fact = add(what);
    fact.source = source;
    fact.rule = rule;
  }
  std::string state() const {
    const std::vector<Overload> all = overloads_of(input);
    return all.size() == 1 ? std::string{to_string(all[0].state)} : std::to_string(all.size());
  }
};

TEST_CASE("overload: copies of what one program logged are one witness") {
  Copied world;
  world.tell("errorlog", 0.1, 30, "slow-io", 3, 1);
  world.tell("events", 0, 30.5, "mssql-slow-io", 2);
  CHECK(world.state() == "suspected");
  CHECK(overloads_of(world.input)[0].witnesses.size() == 2);  // who saw it is told all the same
  Copied later = world;  // the event log shows it longer than the ERRORLOG does
  std::get<WindowFact>(later.input.facts[1].fact.what).span.to = at(32);
  CHECK(later.state() == "confirmed");
  Copied more = world;  // or more of it: a disk's own events beside SQL Server's
  std::get<WindowFact>(more.input.facts[1].fact.what).signals[0].count = 4;
  CHECK(more.state() == "confirmed");
  Copied disk = world;  // or events of the disk alone
  disk.input.facts[1].fact.rule = "disk-slow";
  CHECK(disk.state() == "confirmed");
  Copied trace = world;  // and a program that waits for the server is another one
  trace.tell("trace", 5, 5, "sql-timeout", 0, 1);
  CHECK(trace.state() == "confirmed");
  Copied unknown = world;  // of packs that nobody names nothing is known
  unknown.input.coverage.clear();
  CHECK(unknown.state() == "confirmed");
  Copied two = world;  // the event log as two windows that are one
  two.input.facts.pop_back();
  two.tell("events", 0.2, 0.2, "mssql-slow-io", 1);
  two.tell("events", 30, 30, "mssql-slow-io", 1);
  CHECK(two.state() == "suspected");
}

TEST_CASE("overload: one log that two agents read is one witness, two servers are two") {
  Copied world;
  world.agent = "a2";
  world.covered("shared", {}, 0, 1).source.pack.id = "mssql-errorlog";
  world.tell("shared", 0.1, 30, "slow-io", 3, 1);
  world.agent = "a1";
  world.tell("errorlog", 0.1, 30, "slow-io", 3, 1);
  CHECK(world.state() == "suspected");
  std::get<WindowFact>(world.input.facts[0].fact.what).span.to = at(30.001);
  CHECK(world.state() == "confirmed");
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
