// The incremental correlator against the rebuild: after every single step, whatever the order, the
// repetition, the lateness and the moves of `now`, what it says, and what it told of changes, is
// what correlate() says of everything added so far.
#include "collector/correlate/correlator.h"

#include <doctest/doctest.h>

#include <functional>

#include "collector/correlate/lives.h"
#include "tests/unit/collector/correlate/correlator_pair.h"

namespace meldevakt::collector {
namespace {

using meldevakt::testing::SeededRandom;
using testing::at;
using testing::case_number;
using testing::Pair;
using testing::portal;
using testing::random_world;
using testing::seed_of_this_run;
using testing::SmallWorld;
using testing::transport;

using Step = std::function<void(Pair&)>;

std::vector<Step> steps_of(const TenantInput& input) {
  std::vector<Step> steps;
  for (const auto& item : input.facts) steps.push_back([item](Pair& pair) { pair.add(item); });
  for (const auto& item : input.coverage) steps.push_back([item](Pair& pair) { pair.add(item); });
  for (const auto& item : input.receipts) steps.push_back([item](Pair& pair) { pair.add(item); });
  for (const auto& item : input.rows_ahead) steps.push_back([item](Pair& pair) { pair.add(item); });
  for (const auto& item : input.receipt_coverage) {
    steps.push_back([item](Pair& pair) { pair.add(item); });
  }
  return steps;
}

template <typename T>
void shuffle(std::vector<T>& values, SeededRandom& random) {
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random.below(i)]);
}

// Lists that were read in another zone, or that leave the channel open.
void tell_rows_otherwise(SmallWorld& world, SeededRandom& random) {
  const std::vector<Receipt> rows = world.input.receipts;
  for (const Receipt& row : rows) {
    if (random.below(3) != 0) continue;
    Receipt other = row;
    const Duration zones[] = {Duration{}, minutes(15), hours(2), Duration{} - hours(1)};
    const Duration apart = zones[random.below(4)];
    if (other.sent) other.sent = *other.sent + apart;
    if (other.confirmed) other.confirmed = *other.confirmed + apart;
    if (random.below(2) == 0) other.channel.clear();
    world.input.receipts.push_back(other);
  }
}

// More of what is rare in random_world(): clocks that err, windows, other revisions, doubt.
SmallWorld eventful_world(SeededRandom& random) {
  SmallWorld world = random_world(random);
  for (std::uint64_t i = 0; i < random.below(3); ++i) {
    const double from = testing::second_of(random);
    Fact& fact = world.add(WindowFact{{at(from), at(from + 3)}, true, {}, "cpu"});
    if (random.below(2) != 0) continue;
    LedgerFact later{world.agent, fact};
    later.fact.revision = 1;
    std::get<WindowFact>(later.fact.what).span.to = at(from + 9);
    world.input.facts.push_back(std::move(later));
  }
  for (LedgerFact& ledger : world.input.facts) {
    auto* const step = std::get_if<StepFact>(&ledger.fact.what);
    if (step != nullptr && random.below(10) == 0) step->time_error = seconds(3);
    if (random.below(3) == 0) ledger.agent = "a2";
  }
  for (LedgerCoverage& claim : world.input.coverage) {
    if (random.below(3) == 0) {
      // Some beyond what counts for all time.
      const std::uint64_t most = random.below(4) == 0 ? 90'000 : 4000;
      claim.clock_error = milliseconds(static_cast<std::int64_t>(random.below(most)));
    }
  }
  tell_rows_otherwise(world, random);
  if (random.below(3) == 0) {  // a fact that is said again and names others
    LedgerFact again{"a1", world.step(Signal::kMessageCommitted, 2, {portal(1)})};
    again.fact.revision = 1;
    auto& step = std::get<StepFact>(again.fact.what);
    step.references = testing::sorted({portal(2), transport(1 + random.below(3))});
    world.input.facts.push_back(again);
    world.alias(testing::sorted({portal(1), transport(1 + random.below(2))}));
    LedgerFact untied = world.input.facts.back();
    untied.fact.revision = 3;
    untied.fact.what = AliasFact{at(0), testing::sorted({portal(3), case_number(1)})};
    world.input.facts.push_back(untied);
  }
  return world;
}

TEST_CASE("Correlator: after every step of a random world the same as correlate()") {
  const std::uint64_t seed = seed_of_this_run();
  CAPTURE(seed);
  for (std::uint64_t i = 0; i < 250; ++i) {
    CAPTURE(i);
    SeededRandom random{seed + i};
    const SmallWorld world = eventful_world(random);
    std::vector<Step> steps = steps_of(world.input);
    for (std::size_t s = steps.size(); s > 0; --s) {
      if (random.below(4) == 0) steps.push_back(Step{steps[s - 1]});
    }
    shuffle(steps, random);
    Pair pair{world.input.policy};
    Instant now = at(-10);
    for (const Step& step : steps) {
      step(pair);
      if (random.below(8) == 0) {
        const Instant from = at(testing::second_of(random));
        const std::string source = random.below(2) == 0 ? "" : "s0";
        pair.set_unused(
            {{"a1",
              source,
              {from, from + seconds(1 + static_cast<std::int64_t>(random.below(60)))}}});
      }
      if (random.below(8) == 0) {
        const Instant from = at(testing::second_of(random));
        pair.set_portal_uses({{"other", {from, from + seconds(30)}}});
      }
      if (random.below(2) == 0) now = now + seconds(static_cast<std::int64_t>(random.below(8)));
      if (random.below(16) == 0) now = at(testing::second_of(random));  // backwards, maybe
      if (random.below(4) != 0) {
        CAPTURE(pair.described());
        pair.check(now);
      }
    }
    for (const double later : {20.0, 40.0, 90.0, 15.0 * 86400}) pair.check(at(later));
    Policy other = world.input.policy;
    other.grace = seconds(9);
    other.nearby = seconds(0);
    pair.set_policy(other);
    pair.check(at(12));
  }
}

TEST_CASE("Correlator: every order of every choice of three steps from a small menu") {
  SmallWorld menu;
  menu.input.policy = testing::short_policy();
  menu.received(-1);
  menu.acknowledged(0);
  menu.step(Signal::kMessageCommitted, 2, {transport(1)});
  menu.alias({portal(1), transport(1)});
  menu.alias({portal(2), transport(1)});
  menu.step(Signal::kMessageSaveFailed, 1, {}, {portal(1), portal(2)});
  menu.step(Signal::kMessageCommitted, 1, {});
  menu.acknowledged(1, 2);
  menu.trace_covered(-20, 30);
  menu.covered("trace", {Signal::kMessageCommitted}, -3, 1)
      .source.event_gaps.push_back({{at(0), at(1)}, "lost"});
  menu.row(1, at(-2), at(1));
  const std::vector<Step> steps = steps_of(menu.input);
  std::vector<std::size_t> chosen;
  std::size_t worlds = 0;
  const std::function<void()> go = [&] {
    if (chosen.size() == 3) {
      ++worlds;
      Pair pair{menu.input.policy};
      double now = 0;
      for (const std::size_t step : chosen) {
        steps[step](pair);
        pair.check(at(now += 3));
      }
      return;
    }
    for (std::size_t step = 0; step < steps.size(); ++step) {
      if (std::find(chosen.begin(), chosen.end(), step) != chosen.end()) continue;
      chosen.push_back(step);
      go();
      chosen.pop_back();
    }
  };
  go();
  CHECK(worlds == 11U * 10 * 9);
}

// A name that every message is tied to, and steps that name nothing else.
void add_to_crowd(SmallWorld& world, std::uint64_t m) {
  world.alias({portal(m), case_number(1)});
  world.alias({portal(m), transport(m)});
  world.acknowledged(1, m);
  if (m % 3 == 0) world.step(Signal::kMessageSaveFailed, 2, {case_number(1)});
}

TEST_CASE("Correlator: a name that more and more messages share says the same as at once") {
  SmallWorld world;
  world.trace_covered(-100, 3000);
  for (std::uint64_t m = 1; m <= kSharedByMax + 4; ++m) add_to_crowd(world, m);
  world.step(Signal::kMessageCommitted, 3, {case_number(1)});
  Pair pair{world.input.policy};
  for (const LedgerCoverage& claim : world.input.coverage) pair.add(claim);
  std::size_t added = 0;
  for (const LedgerFact& fact : world.input.facts) {
    pair.add(fact);
    if (++added % 20 == 0 || added > world.input.facts.size() - 20) pair.check(at(2000));
  }
  const Correlation all = correlate(world.input, at(2000));
  REQUIRE(all.messages.size() == kSharedByMax + 4);
  for (const MessageVerdict& message : all.messages) {
    CHECK(message.candidates.empty());
    CHECK(message.explanation.find("that of any of more than 64 messages") != std::string::npos);
  }
}

// At n times n of anything this would not end: 20,000 messages are tied by twice as many facts.
TEST_CASE("Correlator: a crowd costs each settle no more than what it holds") {
  SmallWorld world;
  world.trace_covered(-100, 3000);
  constexpr std::uint64_t kCrowd = 20'000;
  for (std::uint64_t m = 1; m <= kCrowd; ++m) add_to_crowd(world, m);
  Correlator correlator{"t1"};
  REQUIRE(correlator.add(world.input).has_value());
  correlator.settle(at(2000), nullptr);
  CHECK(correlator.decisions() == kCrowd);
  CHECK(correlator.count(Verdict::kMissing) == kCrowd);
  SmallWorld more;
  more.facts = 10 * kCrowd;
  more.step(Signal::kMessageCommitted, 3, {case_number(1)});
  REQUIRE(correlator.add(more.input).has_value());
  correlator.settle(at(2000), nullptr);
  CHECK(correlator.decisions() == 2 * kCrowd);
  CHECK(correlator.count(Verdict::kUnverifiable) == kCrowd);
}

TEST_CASE("Correlator: what no agent and no file can have said is refused and costs nothing else") {
  Correlator correlator{"t1"};
  SmallWorld world;
  world.acknowledged(0);
  Fact bad = world.received(0);
  bad.id = "short";
  CHECK(!correlator.add({"a1", bad}));
  bad = world.received(0);
  std::get<StepFact>(bad.what).references = {{ReferenceType::kPortalMessageId, "not a UUID"}};
  CHECK(!correlator.add({"a1", bad}));
  Receipt row;
  row.message_id = "ABC";
  CHECK(!correlator.add(row));
  CHECK(correlator.add(world.input.facts.front()).has_value());
  correlator.settle(at(3000), nullptr);
  CHECK(correlator.correlation().messages.size() == 1);
}

// `messages` ordinary ones, one a second, read up to the end.
SmallWorld ordinary(std::uint64_t first, std::uint64_t messages) {
  SmallWorld world;
  world.facts = first * 10;
  for (std::uint64_t m = first; m < first + messages; ++m) {
    const auto t = static_cast<double>(m);
    world.received(t, m);
    world.committed(t + 0.2, m);
    world.acknowledged(t + 0.4, m);
    world.row(m, at(t - 5), at(t + 1));
  }
  return world;
}

TEST_CASE("Correlator: what is added decides as few messages anew, however many are there") {
  for (const std::uint64_t history : {100U, 20'000U}) {
    CAPTURE(history);
    Correlator correlator{"t1"};
    SmallWorld world = ordinary(1, history);
    world.trace_covered(-100, static_cast<double>(history));
    REQUIRE(correlator.add(world.input).has_value());
    const Instant now = at(static_cast<double>(history) + 100);
    correlator.settle(now, nullptr);
    CHECK(correlator.decisions() == history);
    CHECK(correlator.count(Verdict::kStored) == history);

    SmallWorld more = ordinary(history + 1, 1);
    more.trace_covered(0, static_cast<double>(history) + 60);
    more.step(Signal::kMessageCommitted, static_cast<double>(history) / 2, {});
    more.add(WindowFact{{at(50), at(51)}, false, {}, "cpu"});
    REQUIRE(correlator.add(more.input).has_value());
    correlator.settle(now + seconds(1), nullptr);
    // The window is looked up by buckets of half an hour to an hour and a half: 4200 s of messages.
    CHECK(correlator.decisions() <= history + 1 + 4200);
    const std::uint64_t before = correlator.decisions();
    correlator.settle(now + days(40), nullptr);
    CHECK(correlator.decisions() == before);
  }
}

}  // namespace
}  // namespace meldevakt::collector
