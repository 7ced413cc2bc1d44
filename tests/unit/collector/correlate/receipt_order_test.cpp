#include "collector/correlate/receipt_order.h"

#include <doctest/doctest.h>

#include "collector/correlate/correlator.h"
#include "tests/unit/collector/correlate/small_world.h"

namespace meldevakt::collector {
namespace {

using testing::at;
using testing::portal;
using testing::SmallWorld;

bool stored_first(const SmallWorld& world) {
  const MessageVerdict message = world.verdict();
  CHECK(message.verdict == Verdict::kStored);
  return message.stored_first;
}

TEST_CASE("receipt order: by one clock the earliest acknowledgement decides") {
  struct Case {
    double commit;
    double receipt;
    bool first;
  };
  for (const Case& c : {Case{1.1, 1.101, true}, Case{1.1, 1.1, false}, Case{1, 1.5, true},
                        Case{1, 2, true}, Case{1, 1, false}, Case{1.1, 2, true}}) {
    CAPTURE(c.commit);
    CAPTURE(c.receipt);
    SmallWorld world;
    world.committed(c.commit);
    world.acknowledged(c.receipt);
    world.acknowledged(c.receipt + 10);
    CHECK(stored_first(world) == c.first);
    // The portal's word has another clock: within its errors it says nothing against this.
    world.row(1, at(-5), at(c.commit - 1));
    CHECK(stored_first(world) == c.first);
  }
  SmallWorld other;  // another log of it is as exact as it is: the commit's time may be cut
  other.committed(1);
  other.acknowledged(1.999).source = "web";
  CHECK_FALSE(stored_first(other));
  std::get<StepFact>(other.input.facts.back().fact.what).time = at(2);
  CHECK(stored_first(other));
  SmallWorld doubtful;
  std::get<StepFact>(doubtful.committed(1.1).what).time_error = seconds(2);
  doubtful.acknowledged(3.1);
  CHECK_FALSE(stored_first(doubtful));
  SmallWorld none;
  none.committed(1.1);
  CHECK_FALSE(stored_first(none));
}

TEST_CASE("receipt order: across clocks, every receipt, by more than they may err") {
  SmallWorld world;  // two seconds between portal and case system, half a one of the agent
  world.trace_covered().clock_error = milliseconds(500);
  world.committed(10.1);
  world.row(1, at(0), at(12.6));
  CHECK_FALSE(stored_first(world));
  world.input.receipts[0].confirmed = at(12.601);
  CHECK(stored_first(world));
  world.input.receipts[0].channel = kPrintChannel;  // a letter is no receipt
  CHECK_FALSE(stored_first(world));
  world.input.receipts[0].channel = kCaseSystemChannel;
  world.agent = "a2";
  world.acknowledged(10.6);  // of another agent, which may err too
  CHECK_FALSE(stored_first(world));
  std::get<StepFact>(world.input.facts.back().fact.what).time = at(10.601);
  CHECK(stored_first(world));
  world.trace_covered().clock_error = milliseconds(1);
  CHECK_FALSE(stored_first(world));
}

TEST_CASE("receipt order: a clock that is found to err more takes it back") {
  SmallWorld world;
  world.committed(10.1);
  world.row(1, at(0), at(13));
  Correlator correlator{"t1"};
  REQUIRE(correlator.add(world.input).has_value());
  std::vector<bool> told;
  const auto note = [&](const Correlator::Change& change) {
    told.push_back(change.message.stored_first);
  };
  correlator.settle(at(3000), note);
  CHECK(told == std::vector<bool>{true});
  correlator.add([] {
    SmallWorld claim;
    claim.trace_covered().clock_error = milliseconds(899);
    return claim.input.coverage.front();
  }());
  correlator.settle(at(3000), note);
  CHECK(told == std::vector<bool>{true});
  correlator.add([] {
    SmallWorld claim;
    claim.trace_covered().clock_error = milliseconds(900);
    return claim.input.coverage.front();
  }());
  correlator.settle(at(3000), note);
  CHECK(told == std::vector<bool>{true, false});
}

}  // namespace
}  // namespace meldevakt::collector
