// correlate() against the naive reading of the same table (oracle.h): small worlds exhausted, and
// random ones with a printed seed (MELDEVAKT_SEED repeats one).
#include "tests/unit/collector/correlate/oracle.h"

#include <doctest/doctest.h>

#include "tests/unit/collector/correlate/random_world.h"

namespace meldevakt::collector {
namespace {

using testing::at;
using testing::Oracle;
using testing::portal;
using testing::SmallWorld;

void agree(const SmallWorld& world, double now) {
  const Correlation all = correlate(world.input, at(now));
  const auto expected = Oracle{world.input, at(now)}.verdicts();
  std::vector<std::pair<std::string, Verdict>> got;
  for (const MessageVerdict& message : all.messages) {
    got.emplace_back(message.message, message.verdict);
  }
  if (got == expected) return;
  CAPTURE(testing::described(world));
  CAPTURE(now);
  CAPTURE(testing::dumped(all));
  for (const auto& [message, verdict] : expected) {
    MESSAGE("the oracle says ", message, " ", std::string{to_string(verdict)});
  }
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    CHECK(got[i].first == expected[i].first);
    CHECK(to_string(got[i].second) == to_string(expected[i].second));
  }
  FAIL("correlate and the oracle disagree");
}

// One thing that may be logged of the messages 1 and 2.
struct Entry {
  Signal signal;
  double time;
  bool unknown;  // outcome
  std::vector<Reference> references;
  std::vector<Reference> candidates;
};

std::vector<Entry> menu() {
  const std::vector<Reference> both{portal(1), portal(2)};
  return {
      {Signal::kMessageReceived, -1, false, {portal(1)}, {}},
      {Signal::kMessageAcknowledged, 0, false, {portal(1)}, {}},
      {Signal::kMessageAcknowledged, 1, false, {}, both},
      {Signal::kMessageCommitted, 0, false, {portal(1)}, {}},
      {Signal::kMessageCommitted, 2, false, {portal(1)}, {}},
      {Signal::kMessageCommitted, 2, false, {portal(2)}, {}},
      {Signal::kMessageCommitted, 2, false, {}, both},
      {Signal::kMessageSaveFailed, 1, false, {portal(1)}, {}},
      {Signal::kMessageSaveFailed, 5, true, {portal(1)}, {}},
      {Signal::kMessageSaveFailed, 2, false, {}, both},
      {Signal::kMessageSaveFailed, 2, false, {}, {}},
      {Signal::kMessageRetried, 5, false, {portal(1)}, {}},
      {Signal::kMessageRejected, 3, false, {portal(1)}, {}},
  };
}

// Bits: what each of two sources observes and which stretches of it were read.
SmallWorld world_of(unsigned coverage_bits, bool with_row) {
  SmallWorld world;
  world.input.policy = testing::short_policy();
  for (unsigned source = 0; source < 2; ++source) {
    const unsigned bits = coverage_bits >> (3 * source);
    if ((bits & 7U) == 0) continue;
    const std::vector<Signal> observes =
        (bits & 1U) != 0
            ? std::vector<Signal>{Signal::kMessageCommitted, Signal::kMessageSaveFailed,
                                  Signal::kMessageAcknowledged}
            : std::vector<Signal>{Signal::kMessageSaveFailed};
    const std::string name = source == 0 ? "s0" : "s1";
    if ((bits & 2U) != 0) world.covered(name, observes, -30, 2);
    if ((bits & 4U) != 0) world.covered(name, observes, 3, 60);
    if ((bits & 6U) == 6U) world.covered(name, observes, 2, 3);
  }
  if (with_row) world.row(1, at(-2), at(1));
  return world;
}

TEST_CASE("correlate agrees with the oracle: every small world") {
  const std::vector<Entry> entries = menu();
  std::uint64_t worlds = 0;
  // Multisets of up to 4 entries; index entries.size() stands for "no more".
  std::vector<std::size_t> chosen(4, 0);
  for (chosen[0] = 0; chosen[0] <= entries.size(); ++chosen[0])
    for (chosen[1] = chosen[0]; chosen[1] <= entries.size(); ++chosen[1])
      for (chosen[2] = chosen[1]; chosen[2] <= entries.size(); ++chosen[2])
        for (chosen[3] = chosen[2]; chosen[3] <= entries.size(); ++chosen[3]) {
          // Each world with one of the coverages in turn, so that all meet all over the neighbours.
          for (unsigned turn = 0; turn < 5; ++turn) {
            const auto bits = static_cast<unsigned>((worlds * 5 + turn * 9) % 64);
            SmallWorld world = world_of(bits, (worlds / 64 + turn) % 2 == 0);
            for (const std::size_t i : chosen) {
              if (i == entries.size()) continue;
              const Entry& e = entries[i];
              Fact& fact = world.step(e.signal, e.time, e.references, e.candidates);
              if (e.unknown) std::get<StepFact>(fact.what).outcome = Outcome::kUnknown;
            }
            agree(world, turn % 2 == 0 ? 40 : 6);
            ++worlds;
          }
        }
  CHECK(worlds > 11'000);
}

TEST_CASE("correlate agrees with the oracle: every coverage of one lonely receipt") {
  for (unsigned bits = 0; bits < 64; ++bits) {
    for (const bool failure : {false, true}) {
      for (const double now : {3.0, 5.0, 7.0, 8.0, 9.0, 40.0}) {
        SmallWorld world = world_of(bits, false);
        world.acknowledged(1);
        if (failure) world.failed(2);
        agree(world, now);
      }
    }
  }
}

TEST_CASE("correlate agrees with the oracle: random worlds") {
  const std::uint64_t seed = testing::seed_of_this_run();
  CAPTURE(seed);
  for (std::uint64_t i = 0; i < 3000; ++i) {
    CAPTURE(i);
    meldevakt::testing::SeededRandom random{seed + i};
    const SmallWorld world = testing::random_world(random);
    const auto now = static_cast<double>(random.below(90)) - 10;
    agree(world, now);
  }
}

}  // namespace
}  // namespace meldevakt::collector
