// Cut, killed and read again anywhere: the same facts, the same account.
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/agent/summarise/watched.h"

namespace meldevakt::agent {
namespace {

using meldevakt::testing::SeededRandom;
using testing::at;
using testing::final_facts;
using testing::line;
using testing::show_steps;
using testing::Watched;

std::string random_text(SeededRandom& random) {
  static const std::vector<std::string> kTexts{"received P1",
                                               "received P2 transport=t2",
                                               "working on P3",
                                               "stored P1",
                                               "stored P2",
                                               "told the sender",
                                               "done",
                                               "noise",
                                               "error\n   at A\n  Timeout expired",
                                               "error\n Timeout expired\n\n  at B",
                                               "working on P4"};
  std::string out;
  double time = 0;
  const std::uint64_t count = 5 + random.below(25);
  for (std::uint64_t i = 0; i < count; ++i) {
    time += static_cast<double>(random.below(4000)) / 1000;
    if (random.below(15) == 0) time += 33;
    out += line(time, static_cast<int>(17 + random.below(3)), kTexts[random.below(kTexts.size())]);
    if (random.below(12) == 0) out += "\xff\xfe half of \xc3\n";
  }
  return out;
}

std::uint64_t seed() {
  const char* const given = std::getenv("MELDEVAKT_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 20240501;
}

struct Whole {
  std::vector<Fact> facts;
  ByteCounts bytes;
  std::uint64_t records = 0;
};

Whole read_at_once(const std::vector<std::string>& files) {
  Watched w{at(5000)};
  for (std::size_t i = 0; i < files.size(); ++i) {
    w.pipeline.begin_file(std::to_string(i), 0);
    w.pipeline.feed(std::to_string(i), files[i], at(5000));
    w.pipeline.end_file(std::to_string(i), FileEnd::kComplete, at(5000));
  }
  w.pipeline.caught_up(at(5100));
  const SourceYield yield = w.take(at(5100));
  return {final_facts(w.facts), yield.coverage.bytes, yield.coverage.records};
}

TEST_CASE("SourcePipeline property: cut, killed and read again anywhere, it tells the same") {
  MESSAGE("seed " << seed());
  SeededRandom random{seed()};
  for (int round = 0; round < 60; ++round) {
    CAPTURE(round);
    const std::vector<std::string> files{random_text(random), random_text(random)};
    const Whole want = read_at_once(files);

    Watched w{at(5000)};
    Instant now = at(5000);
    for (std::size_t i = 0; i < files.size(); ++i) {
      const std::string key = std::to_string(i);
      w.pipeline.begin_file(key, 0);
      std::size_t fed = 0;
      while (fed < files[i].size()) {
        const std::size_t step = 1 + random.below(200);
        w.pipeline.feed(key, std::string_view{files[i]}.substr(fed, step), now);
        fed = std::min(files[i].size(), fed + step);
        now = now + milliseconds(static_cast<std::int64_t>(random.below(1500)));
        if (random.below(5) == 0) w.take(now);
        if (random.below(4) == 0) w.pipeline.caught_up(now);
        if (random.below(3) == 0) {
          // The commit: positions, snapshot and what was taken. Then the agent is killed.
          const std::uint64_t low = w.pipeline.low_water(key);
          const Instant then = now;
          now = now + milliseconds(static_cast<std::int64_t>(random.below(5000)));
          w.restart(now, then);
          REQUIRE(low <= fed);
          w.pipeline.begin_file(key, low);
          fed = low;
        }
      }
      w.pipeline.end_file(key, FileEnd::kComplete, now);
    }
    now = now + seconds(100);
    w.pipeline.caught_up(now);
    const SourceYield last = w.take(now);
    REQUIRE(show_steps(w.facts) == show_steps(want.facts));
    CHECK(final_facts(w.facts) == want.facts);
    CHECK(last.coverage.bytes == want.bytes);
    CHECK(last.coverage.records == want.records);
  }
}

TEST_CASE("SourcePipeline property: killed at every byte of one log") {
  SeededRandom random{seed() + 1};
  const std::string text = random_text(random).substr(0, 900);
  const Whole want = read_at_once({text});
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    CAPTURE(cut);
    Watched w{at(5000)};
    w.pipeline.begin_file("0", 0);
    w.pipeline.feed("0", std::string_view{text}.substr(0, cut), at(5000));
    const std::uint64_t low = w.pipeline.low_water("0");
    w.restart(at(5010), at(5001));
    w.pipeline.begin_file("0", low);
    w.pipeline.feed("0", std::string_view{text}.substr(low), at(5010));
    w.pipeline.end_file("0", FileEnd::kComplete, at(5010));
    w.pipeline.caught_up(at(5100));
    const SourceYield last = w.take(at(5100));
    REQUIRE(final_facts(w.facts) == want.facts);
    REQUIRE(last.coverage.bytes == want.bytes);
    REQUIRE(last.coverage.records == want.records);
  }
}

}  // namespace
}  // namespace meldevakt::agent
