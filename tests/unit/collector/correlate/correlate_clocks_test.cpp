// Verdicts where clocks may err: what counts as before, and what must have been read.
#include <doctest/doctest.h>

#include "collector/correlate/correlate.h"
#include "tests/unit/collector/correlate/cases.h"

namespace meldevakt::collector {
namespace {

using testing::at;
using testing::check;
using testing::W;

TEST_CASE("correlate: clocks that are not one clock get the benefit of their errors") {
  const auto two_agents = [](double receipt, double commit) {
    return [=](W w) {
      w.acknowledged(receipt);
      w.trace_covered().clock_error = milliseconds(300);
      w.agent = "a2";
      w.committed(commit);
      w.covered("db", {Signal::kMessageCommitted}, -3600, 3600).clock_error = milliseconds(200);
    };
  };
  const auto portal_row = [](double receipt, double commit) {
    return [=](W w) {
      w.row(1, at(0), at(receipt));
      w.committed(commit);
      w.trace_covered().clock_error = milliseconds(500);
    };
  };
  check({
      {"two agents, within", two_agents(1, 1.5), Verdict::kStored, ""},
      {"two agents, beyond", two_agents(1, 1.501), Verdict::kStoredAfterReceipt, ""},
      // 2 s of policy, 0.5 s of the agent
      {"portal, within", portal_row(1.25, 3.75), Verdict::kStored, ""},
      {"portal, beyond", portal_row(1.25, 3.751), Verdict::kStoredAfterReceipt, ""},
      {"portal in whole seconds, within", portal_row(1, 4.5), Verdict::kStored, ""},
      {"portal in whole seconds, beyond", portal_row(1, 4.501), Verdict::kStoredAfterReceipt, ""},
  });
}

TEST_CASE("correlate: clocks that may err need more to have been read, and hide nothing") {
  // Its own clock's times need nothing more.
  const auto own = [](double gap_from, double gap_to) {
    return [=](W w) {
      w.received(-5), w.acknowledged(0);
      auto& claim = w.trace_covered();
      claim.clock_error = seconds(4);
      claim.source.event_gaps.push_back({{at(gap_from), at(gap_to)}, "lost"});
    };
  };
  // Received and acknowledged by one agent, committed by another, whose clocks err by 0.3 and 4 s.
  const auto other = [](double gap_from, double gap_to) {
    return [=](W w) {
      w.received(-5), w.acknowledged(0);
      w.covered("app", {Signal::kMessageReceived}, -3600, 3600).clock_error = milliseconds(300);
      w.agent = "a2";
      auto& claim = w.covered("db", {Signal::kMessageCommitted}, -3600, 3600);
      claim.clock_error = seconds(4);
      claim.source.event_gaps.push_back({{at(gap_from), at(gap_to)}, "lost"});
    };
  };
  // The portal's time (2 s of policy), and a clock that errs by 4 s.
  const auto portal_row = [](double gap_from, double gap_to) {
    return [=](W w) {
      w.received(-5), w.row(1, at(-10), at(0));
      auto& claim = w.trace_covered();
      claim.clock_error = seconds(4);
      claim.source.event_gaps.push_back({{at(gap_from), at(gap_to)}, "lost"});
    };
  };
  check({
      {"own, a gap up to it", own(-9, -5), Verdict::kMissing, ""},
      {"own, a gap in it", own(-9, -4.999), Verdict::kUnverifiable, ""},
      {"another's, a gap up to what its clock may hide", other(-20, -9.3), Verdict::kMissing, ""},
      {"another's, a gap in it", other(-20, -9.299), Verdict::kUnverifiable, ""},
      {"another's, after it", other(34.3, 40), Verdict::kMissing, ""},
      {"another's, a gap after it that may be in it", other(34.299, 40), Verdict::kUnverifiable,
       ""},
      {"the portal's, a gap before it", portal_row(-20, -11), Verdict::kMissing, ""},
      {"the portal's, in it", portal_row(-20, -10.999), Verdict::kUnverifiable, ""},
      {"the portal's, after it", portal_row(36, 40), Verdict::kMissing, ""},
      {"the portal's, in it at the end", portal_row(35.999, 40), Verdict::kUnverifiable, ""},
  });
}

TEST_CASE("correlate: a clock that was wrong for an hour needs more of that hour only") {
  testing::SmallWorld world;
  world.received(-5), world.row(1, at(-10), at(0));
  auto& right = world.trace_covered(-360'000, 3600);
  right.clock_error = milliseconds(5);
  right.source.event_gaps.push_back({{at(-60), at(-50)}, "lost"});
  CHECK(world.verdict().verdict == Verdict::kMissing);
  auto& wrong = world.trace_covered(-90'000, -86'400);
  wrong.clock_error = minutes(20);
  CHECK(world.verdict().verdict == Verdict::kMissing);  // a day before
  wrong.source.complete = Interval{at(-100), at(100)};
  CHECK(world.verdict().verdict == Verdict::kUnverifiable);
}

TEST_CASE("correlate: a clock that jumped ten years ahead for a minute costs what it told then") {
  testing::SmallWorld world;
  world.received(-5), world.row(1, at(-10), at(0));
  world.trace_covered(-360'000, 3600).source.event_gaps.push_back({{at(-60), at(-50)}, "lost"});
  auto& jumped = world.trace_covered(259'200, 259'260);
  jumped.span = {at(259'200), at(259'260) + days(3650)};
  jumped.clock_error = days(3650);
  CHECK(world.verdict().verdict == Verdict::kMissing);
}

TEST_CASE("correlate: a log that errs by minutes keeps a message pending until it can be read") {
  const auto short_of = [](double until) {
    testing::SmallWorld world;
    world.received(-5), world.row(1, at(-10), at(0));
    world.trace_covered(-3600, until).clock_error = minutes(5);
    return world;
  };
  // Last chance 30 s, the portal's 2 s, its clock's 300 s, and two minutes for its telling.
  CHECK(short_of(31).verdict(451.9).verdict == Verdict::kPending);
  CHECK(short_of(31).verdict(452).verdict == Verdict::kUnverifiable);
  CHECK(short_of(332).verdict(452).verdict == Verdict::kMissing);
}

}  // namespace
}  // namespace meldevakt::collector
