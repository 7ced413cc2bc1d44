#include "collector/report/latent_watch.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "common/testing/doubles.h"

namespace meldevakt::collector {
namespace {

constexpr Instant kFrom{1'600'984'800'000};

// All messages as they stand, and a watch that only hears of changes.
struct World {
  void set(const std::string& name, Verdict verdict, std::optional<Instant> receipted,
           bool clear = true) {
    Correlator::Change change;
    const auto known = all.find(name);
    if (known != all.end()) change.before = known->second.verdict;
    change.message.message = name;
    change.message.verdict = verdict;
    change.message.receipted = receipted;
    change.message.stored_first = clear && verdict == Verdict::kStored;
    all[name] = change.message;
    watch.note(change);
  }
  void take_away(const std::string& name) {
    const auto known = all.find(name);
    if (known == all.end()) return;
    Correlator::Change change;
    change.message.message = name;
    change.before = known->second.verdict;
    change.gone = true;
    all.erase(known);
    watch.note(change);
  }
  std::optional<LatentFault> watched(std::optional<Instant> fixed) {
    return watch.fault(
        [this](const auto& use) {
          for (const auto& [name, message] : all) use(message);
        },
        fixed);
  }
  std::optional<LatentFault> whole(std::optional<Instant> fixed) const {
    Correlation correlation;
    for (const auto& [name, message] : all) correlation.messages.push_back(message);
    return latent_fault(correlation, fixed);
  }
  void check(std::optional<Instant> fixed) {
    std::optional<LatentFault> want = whole(fixed);
    std::optional<LatentFault> got = watched(fixed);
    REQUIRE(got.has_value() == want.has_value());
    if (!want) return;
    want->since_then = std::min<std::uint64_t>(want->since_then, kSoundMessages);
    got->since_then = std::min<std::uint64_t>(got->since_then, kSoundMessages);
    CHECK(got->first == want->first);
    CHECK(got->last == want->last);
    CHECK(got->messages == want->messages);
    CHECK(got->since_then == want->since_then);
    CHECK(got->present == want->present);
  }

  std::map<std::string, MessageVerdict> all;
  LatentWatch watch;
};

TEST_CASE("latent watch: after any changes the same as looking at all messages") {
  const char* const given = std::getenv("MELDEVAKT_SEED");
  const std::uint64_t seed = given == nullptr ? 1 : std::strtoull(given, nullptr, 10);
  CAPTURE(seed);
  constexpr Verdict kSome[] = {Verdict::kStored, Verdict::kStored, Verdict::kStoredAfterReceipt,
                               Verdict::kLost, Verdict::kPending};
  std::uint64_t recounts = 0;
  for (std::uint64_t i = 0; i < 60; ++i) {
    CAPTURE(i);
    meldevakt::testing::SeededRandom random{seed * 1000 + i};
    World world;
    const std::uint64_t names = i % 2 == 0 ? 30 : 400;
    const std::uint64_t faulty = random.below(4);  // how rare the fault is in this world
    for (std::uint64_t step = 0; step < 1200; ++step) {
      const std::string name = "m" + std::to_string(random.below(names));
      const Instant time = kFrom + minutes(static_cast<std::int64_t>(random.below(500)));
      Verdict verdict = kSome[random.below(5)];
      if (verdict == Verdict::kStoredAfterReceipt && random.below(1 + faulty * faulty * 20) != 0) {
        verdict = Verdict::kStored;
      }
      const bool receipted = verdict != Verdict::kStored || random.below(8) != 0;
      if (random.below(5) == 0) {
        world.take_away(name);
      } else {
        world.set(name, verdict, receipted ? std::optional{time} : std::nullopt,
                  random.below(4) != 0);
      }
      if (random.below(400) == 0) {  // nearly everything is taken back
        for (std::uint64_t n = 0; n < names; ++n) {
          if (random.below(8) != 0) world.take_away("m" + std::to_string(n));
        }
      }
      if (random.below(10) != 0) continue;
      const Instant fixed = kFrom + minutes(static_cast<std::int64_t>(random.below(500)));
      world.check(random.below(2) == 0 ? std::optional{fixed} : std::nullopt);
    }
    recounts += world.watch.recounts();
  }
  CHECK(recounts > 0);  // that way was taken too
}

TEST_CASE("latent watch: ordinary life never looks at all messages") {
  World world;
  for (int i = 0; i < 5000; ++i) {
    world.set("m" + std::to_string(i), Verdict::kPending, kFrom + minutes(i));
    world.set("m" + std::to_string(i), i % 7 == 0 ? Verdict::kStored : Verdict::kStoredAfterReceipt,
              kFrom + minutes(i));
    (void)world.watched({});
  }
  CHECK(world.watch.recounts() == 0);
  world.check({});
}

}  // namespace
}  // namespace meldevakt::collector
