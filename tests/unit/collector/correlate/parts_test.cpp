// The parts that correlate() stands on, where a table says more than a whole world.
#include <doctest/doctest.h>

#include "collector/correlate/coverage_map.h"
#include "collector/correlate/lives.h"
#include "collector/correlate/windows.h"
#include "collector/correlate/words.h"
#include "tests/unit/collector/correlate/small_world.h"

namespace meldevakt::collector {
namespace {

using testing::at;
using testing::SmallWorld;

std::string hole_text(const std::optional<Hole>& hole) {
  if (!hole) return "none";
  const auto second = [](Instant t) { return std::to_string((t - testing::kEvening).ms / 1000); };
  return hole->agent + "/" + hole->source + " " + second(hole->stretch.from) + ".." +
         second(hole->stretch.to) + (hole->not_yet_read ? " not yet" : "") +
         (hole->never_read ? " never" : "");
}

TEST_CASE("CoverageMap: the first stretch that is missing") {
  constexpr Signal commit = Signal::kMessageCommitted;
  struct Case {
    std::string name;
    std::vector<std::pair<int, int>> complete;
    std::vector<std::pair<int, int>> gaps;
    std::string hole;  // in [10, 20)
  };
  const std::vector<Case> cases{
      {"whole", {{10, 20}}, {}, "none"},
      {"wider", {{0, 30}}, {}, "none"},
      {"touching", {{0, 15}, {15, 20}}, {}, "none"},
      {"overlapping, wrong order", {{14, 20}, {0, 15}}, {}, "none"},
      {"one within the other", {{0, 20}, {12, 13}}, {}, "none"},
      {"hole in the middle", {{0, 12}, {15, 30}}, {}, "a1/s 12..15"},
      {"two holes", {{0, 12}, {14, 15}, {16, 30}}, {}, "a1/s 12..14"},
      {"begins late", {{13, 30}}, {}, "a1/s 10..13"},
      {"ends early", {{0, 19}}, {}, "a1/s 19..20 not yet"},
      {"all before", {{0, 5}}, {}, "a1/s 10..20 not yet"},
      {"all after", {{25, 30}}, {}, "a1/s 10..20"},
      {"a gap in it", {{0, 30}}, {{12, 13}}, "a1/s 12..13"},
      {"a gap at its start", {{0, 30}}, {{5, 11}}, "a1/s 10..11"},
      {"a gap before it", {{0, 30}}, {{5, 10}}, "none"},
      {"a gap over two claims", {{0, 15}, {15, 30}}, {{14, 16}}, "a1/s 14..16"},
      {"two gaps", {{0, 30}}, {{16, 17}, {12, 13}}, "a1/s 12..13"},
      {"gaps that overlap", {{0, 30}}, {{12, 15}, {13, 18}}, "a1/s 12..18"},
      {"an empty gap", {{0, 30}}, {{12, 12}}, "none"},
      {"an empty claim", {{12, 12}}, {}, "a1/s 10..20 never"},
      {"all of it gap", {{10, 20}}, {{0, 30}}, "a1/s 10..20 never"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    SmallWorld world;
    for (const auto& [from, to] : c.complete) world.covered("s", {commit}, from, to);
    for (const auto& [from, to] : c.gaps) {
      world.input.coverage.back().source.event_gaps.push_back({{at(from), at(to)}, "lost"});
    }
    const CoverageMap map{world.input.coverage};
    CHECK(hole_text(map.first_hole(commit, {{at(10), at(20)}, std::nullopt})) == c.hole);
  }
}

TEST_CASE("CoverageMap: who is asked") {
  constexpr Signal commit = Signal::kMessageCommitted;
  SmallWorld world;
  world.covered("late", {commit}, 12, 30);
  world.covered("short", {commit}, 0, 18);
  world.covered("other", {Signal::kMessageSaveFailed}, 0, 5);
  const CoverageMap map{world.input.coverage};
  CHECK(map.observed(commit));
  CHECK(map.observed(Signal::kMessageSaveFailed));
  CHECK(!map.observed(Signal::kMessageAcknowledged));
  // A hole that cannot fill goes before one that may.
  CHECK(hole_text(map.first_hole(commit, {{at(10), at(20)}, std::nullopt})) == "a1/late 10..12");
  CHECK(hole_text(map.first_hole(commit, {{at(10), at(20)}, at(11)})) == "a1/late 10..12");
  CHECK(hole_text(map.first_hole(commit, {{at(10), at(20)}, at(12)})) == "a1/short 18..20 not yet");
  CHECK(hole_text(map.first_hole(commit, {{at(10), at(18)}, at(12)})) == "none");
}

TEST_CASE("CoverageMap: a pack that came to see commits later is asked only from then on") {
  constexpr Signal commit = Signal::kMessageCommitted;
  SmallWorld world;
  world.covered("s", {Signal::kMessageSaveFailed}, 0, 50);
  world.covered("s", {commit, Signal::kMessageSaveFailed}, 50, 90);
  const CoverageMap map{world.input.coverage};
  CHECK(hole_text(map.first_hole(commit, {{at(10), at(60)}, std::nullopt})) == "a1/s 10..50");
  CHECK(hole_text(map.first_hole(Signal::kMessageSaveFailed, {{at(10), at(60)}, std::nullopt})) ==
        "none");
}

TEST_CASE("CoverageMap: what was not in use is not asked, as long as another is") {
  constexpr Signal commit = Signal::kMessageCommitted;
  SmallWorld world;
  world.covered("old", {commit}, 0, 12);
  world.covered("new", {commit}, 12, 40);
  struct Case {
    std::string name;
    std::vector<UnusedSource> unused;
    std::string hole;  // in [10, 20)
  };
  const Instant end = at(1e9);
  const Instant begin = at(-1e9);
  const std::vector<Case> cases{
      {"nothing is said", {}, "a1/new 10..12"},
      {"replaced", {{"a1", "old", {at(12), end}}, {"a1", "new", {begin, at(12)}}}, "none"},
      {"replaced, and nothing said of the new one",
       {{"a1", "old", {at(12), end}}},
       "a1/new 10..12"},
      {"replaced before its log ends",
       {{"a1", "old", {at(5), end}}, {"a1", "new", {begin, at(12)}}},
       "a1/old 10..12"},
      {"a moment that is nobody's",
       {{"a1", "old", {at(11), end}}, {"a1", "new", {begin, at(12)}}},
       "a1/old 11..12"},
      {"all of the agent's", {{"a1", "", {at(12), end}}}, "a1/new 10..12"},
      {"none is left", {{"a1", "", {begin, end}}}, "a1/old 10..20"},
      {"another agent's", {{"a2", "old", {at(12), end}}}, "a1/new 10..12"},
      {"over again before it", {{"a1", "new", {begin, at(9)}}}, "a1/new 10..12"},
      {"used in between",
       {{"a1", "old", {at(12), end}}, {"a1", "new", {begin, at(12)}}, {"a1", "new", {at(30), end}}},
       "none"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    world.input.unused = c.unused;
    CHECK(hole_text(coverage_of(world.input).first_hole(commit, {{at(10), at(20)}})) == c.hole);
  }
}

TEST_CASE("CoverageMap: clock errors are the largest an agent stated") {
  SmallWorld world;
  world.trace_covered().clock_error = milliseconds(7);
  world.trace_covered().clock_error = milliseconds(3);
  const CoverageMap map{world.input.coverage};
  CHECK(map.clock_error("a1") == milliseconds(7));
  CHECK(map.clock_error("a2") == milliseconds(0));
}

TEST_CASE("WindowIndex: the same as looking at every window") {
  for (int count = 0; count <= 9; ++count) {
    std::vector<OverloadWindow> windows;
    for (int i = 0; i < count; ++i) {
      OverloadWindow window;
      window.span = {at(i * 3), at(i * 3 + (i * 7) % 11)};
      window.fact_id = std::to_string(i);
      windows.push_back(window);
    }
    const WindowIndex index{windows};
    for (int from = -2; from < 40; ++from) {
      for (int to = from; to < 40; to += 3) {
        std::string expected;
        std::string got;
        for (const OverloadWindow& window : windows) {
          if (window.span.from <= at(to) && at(from) <= window.span.to) expected += window.fact_id;
        }
        for (const OverloadWindow& window : index.overlapping({at(from), at(to)}, 99)) {
          got += window.fact_id;
        }
        REQUIRE(got == expected);
        const auto first_two = index.overlapping({at(from), at(to)}, 2);
        REQUIRE(first_two.size() == std::min<std::size_t>(2, expected.size()));
      }
    }
  }
}

TEST_CASE("words: codes and drivers") {
  CHECK(describe_code("pg/55P03") == "the database gave up waiting for a lock (pg/55P03)");
  CHECK(describe_code("pg/99999") == "the save failed (pg/99999)");
  CHECK(describe_code("") == "no reason was logged");
  CHECK(describe_driver("lock_wait") == "waiting for locks");
  CHECK(describe_driver("solar_wind") == "solar wind");
  CHECK(describe_driver("") == "overload");
  CHECK(describe_cause("receipt_before_commit") == "receipted before it was stored");
  CHECK(describe_cause("pg/53300") == "the database had no connection left (pg/53300)");
  CHECK(describe_cause("") == "");
}

TEST_CASE("correlate: every reason has a word that people can read") {
  for (const char* cause :
       {"coverage_gap", "commit_not_logged", "fetched_by_hand", "no_answer", "no_coverage",
        "not_acknowledged", "not_confirmed", "not_posted", "nothing_logged", "posting_unknown",
        "receipt_before_commit", "rejected", "row_too_old", "save_failed", "unclear_signals",
        "unreceipted", "whose_unknown"}) {
    CHECK(describe_cause(cause).find('_') == std::string::npos);
    CHECK(describe_cause(cause).find("the save failed (") == std::string::npos);
  }
}

}  // namespace
}  // namespace meldevakt::collector
