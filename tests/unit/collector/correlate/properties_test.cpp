// What must hold of every world: order, repetition, splitting and lateness do not matter; claims of
// coverage and the passing of time change only what they may.
#include <doctest/doctest.h>

#include <algorithm>

#include "collector/correlate/correlate.h"
#include "collector/correlate/lives.h"
#include "tests/unit/collector/correlate/random_world.h"

namespace meldevakt::collector {
namespace {

using meldevakt::testing::SeededRandom;
using testing::at;
using testing::dumped;
using testing::portal;
using testing::random_world;
using testing::seed_of_this_run;
using testing::SmallWorld;

constexpr std::uint64_t kWorlds = 400;

template <typename T>
void shuffle(std::vector<T>& values, SeededRandom& random) {
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random.below(i)]);
}

template <typename T>
void repeat_some(std::vector<T>& values, SeededRandom& random) {
  const std::size_t count = values.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (random.below(3) == 0) values.push_back(T{values[i]});
  }
}

// Whose a message of a shared log is depends on who tells of it, and on who else does.
void share_nothing(SmallWorld& world) {
  for (LedgerCoverage& claim : world.input.coverage) claim.source.shared = false;
}

TEST_CASE("correlate: order, repetition and splitting over agents never matter") {
  const std::uint64_t seed = seed_of_this_run();
  CAPTURE(seed);
  for (std::uint64_t i = 0; i < kWorlds; ++i) {
    CAPTURE(i);
    SeededRandom random{seed + i};
    SmallWorld world = random_world(random);
    world.add(WindowFact{{at(-2), at(3)}, false, {{Signal::kDbTimeout, 2}}, "backup"});
    world.add(WindowFact{{at(-2), at(3)}, true, {}, "cpu"});
    const Instant now = at(static_cast<double>(random.below(60)));
    const std::string before = dumped(correlate(world.input, now));
    repeat_some(world.input.facts, random);
    repeat_some(world.input.coverage, random);
    repeat_some(world.input.receipts, random);
    repeat_some(world.input.rows_ahead, random);
    shuffle(world.input.facts, random);
    shuffle(world.input.coverage, random);
    shuffle(world.input.receipts, random);
    shuffle(world.input.rows_ahead, random);
    shuffle(world.input.receipt_coverage, random);
    REQUIRE(dumped(correlate(world.input, now)) == before);
    // No clock errs in these worlds, so it does not matter either who tells of a fact.
    share_nothing(world);
    const std::string own = dumped(correlate(world.input, now));
    for (LedgerFact& fact : world.input.facts) {
      if (random.below(2) == 0) fact.agent = "a3";
    }
    REQUIRE(dumped(correlate(world.input, now)) == own);
  }
}

TEST_CASE("correlate: two contents under one revision are decided the same in either order") {
  SmallWorld world;
  world.trace_covered();
  world.acknowledged(0);
  Fact other = world.failed(2);
  std::get<StepFact>(other.what).outcome = Outcome::kUnknown;
  world.input.facts.push_back({"a1", other});
  const std::string before = dumped(correlate(world.input, at(3000)));
  std::reverse(world.input.facts.begin(), world.input.facts.end());
  CHECK(dumped(correlate(world.input, at(3000))) == before);
}

bool says_stored(Verdict verdict) {
  return verdict == Verdict::kStored || verdict == Verdict::kStoredAfterReceipt ||
         verdict == Verdict::kUnreceipted;
}

TEST_CASE("correlate: more coverage never turns stored into something else") {
  const std::uint64_t seed = seed_of_this_run();
  CAPTURE(seed);
  for (std::uint64_t i = 0; i < kWorlds; ++i) {
    CAPTURE(i);
    SeededRandom random{seed + i};
    SmallWorld world = random_world(random);
    const Instant now = at(static_cast<double>(random.below(60)));
    share_nothing(world);
    const Correlation before = correlate(world.input, now);
    testing::add_random_coverage(world, random);
    share_nothing(world);
    const Correlation after = correlate(world.input, now);
    REQUIRE(before.messages.size() == after.messages.size());
    for (std::size_t m = 0; m < before.messages.size(); ++m) {
      const Verdict was = before.messages[m].verdict;
      const Verdict is = after.messages[m].verdict;
      REQUIRE(says_stored(was) == says_stored(is));
      if (says_stored(was)) REQUIRE(was == is);
    }
  }
}

// What a verdict may become when nothing but time goes on.
bool may_become(Verdict was, Verdict is) {
  if (was == is || was == Verdict::kPending) return true;
  if (was == Verdict::kFallback) {
    return is == Verdict::kFallbackStalled || is == Verdict::kUnverifiable;
  }
  return was == Verdict::kStored && is == Verdict::kUnreceipted;
}

TEST_CASE("correlate: time going on changes only what waits for it") {
  const std::uint64_t seed = seed_of_this_run();
  CAPTURE(seed);
  for (std::uint64_t i = 0; i < kWorlds; ++i) {
    CAPTURE(i);
    SeededRandom random{seed + i};
    const SmallWorld world = random_world(random);
    Correlation before = correlate(world.input, at(-10));
    for (const double now : {0.0, 4.0, 9.0, 20.0, 60.0, 40.0 * 86400}) {
      const Correlation after = correlate(world.input, at(now));
      REQUIRE(before.messages.size() == after.messages.size());
      for (std::size_t m = 0; m < before.messages.size(); ++m) {
        MessageVerdict was = before.messages[m];
        const MessageVerdict& is = after.messages[m];
        CAPTURE(was.explanation);
        CAPTURE(is.explanation);
        REQUIRE(may_become(was.verdict, is.verdict));
        if (was.verdict != is.verdict) continue;
        const bool purged = was.category == Category::kB && is.category == Category::kA;
        if (purged) was.category = is.category;
        if (was.verdict == Verdict::kPending) was.explanation = is.explanation;  // why it waits
        REQUIRE(message_json(was, "t") == message_json(is, "t"));
      }
      before = after;
    }
  }
}

TEST_CASE("correlate: adding what may be another's never makes a message look better") {
  const std::uint64_t seed = seed_of_this_run();
  CAPTURE(seed);
  for (std::uint64_t i = 0; i < kWorlds; ++i) {
    CAPTURE(i);
    SeededRandom random{seed + i};
    SmallWorld world = random_world(random);
    const Correlation before = correlate(world.input, at(60));
    const auto commit =
        random.below(2) == 0 ? Signal::kMessageCommitted : Signal::kMessageSaveFailed;
    world.step(commit, testing::second_of(random), {}, {portal(1), portal(2), portal(3)});
    const Correlation after = correlate(world.input, at(60));
    REQUIRE(before.messages.size() == after.messages.size());
    for (std::size_t m = 0; m < before.messages.size(); ++m) {
      REQUIRE(says_stored(before.messages[m].verdict) == says_stored(after.messages[m].verdict));
      if (!needs_action(before.messages[m].verdict)) continue;
      REQUIRE(needs_action(after.messages[m].verdict));
    }
  }
}

TEST_CASE("correlate: a country's year of one night finishes") {
  SmallWorld world;
  world.trace_covered(-1000, 200'000);
  constexpr std::uint64_t messages = 100'000;
  for (std::uint64_t m = 1; m <= messages; ++m) {
    const auto t = static_cast<double>(m);
    world.step(Signal::kMessageReceived, t, {portal(m), testing::transport(m)});
    world.acknowledged(t + 1, m);
    if (m % 100 == 0) {
      world.step(Signal::kMessageSaveFailed, t + 2, {testing::transport(m)});
    } else {
      world.step(Signal::kMessageCommitted, t + 0.5, {testing::transport(m)});
    }
    if (m % 1000 == 0) world.add(WindowFact{{at(t - 500), at(t + 500)}, false, {}, "cpu"});
  }
  const Correlation all = correlate(world.input, at(300'000));
  REQUIRE(all.messages.size() == messages);
  std::size_t lost = 0;
  std::size_t stored = 0;
  for (const MessageVerdict& message : all.messages) {
    lost += message.verdict == Verdict::kLost ? 1U : 0U;
    stored += message.verdict == Verdict::kStored ? 1U : 0U;
  }
  CHECK(lost == messages / 100);
  CHECK(stored == messages - lost);
}

TEST_CASE("lives: windows and nameless commits alone are those of all lives") {
  const std::uint64_t seed = testing::seed_of_this_run();
  CAPTURE(seed);
  for (std::uint64_t i = 0; i < 300; ++i) {
    CAPTURE(i);
    SeededRandom random{seed + i};
    SmallWorld world = testing::random_world(random);
    // One id that says something else in its next revision, either way round.
    for (const bool window_first : {false, true}) {
      LedgerFact one{world.agent, world.step(Signal::kMessageCommitted, 1, {})};
      LedgerFact other = one;
      other.fact.what = WindowFact{{at(0), at(9)}, false, {}, "cpu"};
      (window_first ? one : other).fact.revision = 1 + static_cast<std::uint32_t>(random.below(2));
      world.input.facts.back() = one;
      world.input.facts.push_back(other);
    }
    const Lives lives = build_lives(world.input);
    const auto windows = windows_of(world.input);
    REQUIRE(windows.size() == lives.windows.size());
    for (std::size_t w = 0; w < windows.size(); ++w) {
      REQUIRE(windows[w].fact_id == lives.windows[w].fact_id);
      REQUIRE(windows[w].span == lives.windows[w].span);
    }
    const auto commits = nameless_commits_of(world.input);
    REQUIRE(commits.size() == lives.nameless_commits.size());
    for (std::size_t c = 0; c < commits.size(); ++c) {
      REQUIRE(commits[c].ledger == lives.steps[lives.nameless_commits[c]].ledger);
    }
  }
}

TEST_CASE("correlate: what would cost n times n is bounded") {
  SmallWorld world;
  world.trace_covered(-1000, 200'000);
  constexpr std::uint64_t messages = 5000;
  // One case number ties all of them together, every step of it could be each one's, and every
  // window overlaps all of them.
  for (std::uint64_t m = 1; m <= messages; ++m) {
    world.alias({portal(m), testing::case_number(1)});
    world.acknowledged(0, m);
    world.step(Signal::kMessageCommitted, 1, {testing::case_number(1)});
    world.add(WindowFact{{at(-100), at(100)}, false, {}, "cpu"});
  }
  const Correlation all = correlate(world.input, at(3000));
  REQUIRE(all.messages.size() == messages);
  for (const MessageVerdict& message : all.messages) {
    REQUIRE(message.verdict == Verdict::kUnverifiable);
    REQUIRE(message.candidates.empty());
    REQUIRE(message.windows.size() == kWindowsPerMessageMax);
  }
  CHECK(all.messages[0].explanation.find("of any of more than 64 messages") != std::string::npos);
}

}  // namespace
}  // namespace meldevakt::collector
