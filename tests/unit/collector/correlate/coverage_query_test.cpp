#include "collector/correlate/coverage_query.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/collector/correlate/random_world.h"

namespace meldevakt::collector {
namespace {

using meldevakt::testing::SeededRandom;
using testing::at;
using testing::SmallWorld;

std::string second(Instant t) {
  return std::to_string((t - at(0)).ms / 1000);
}

LedgerCoverage& claim(SmallWorld& world, double from, double to, const std::string& pack = "p") {
  LedgerCoverage& out = world.covered("trace", {Signal::kMessageCommitted}, from, to);
  out.span = *out.source.complete;
  out.source.pack.id = pack;
  out.source.reading = {{out.span, ReadState::kRead, ""}};
  return out;
}

std::string events(const SmallWorld& world, double from, double to) {
  std::string out;
  for (const SourceKnown& source : known_between(world.input, {at(from), at(to)}, at(to)).sources) {
    for (const EventStretch& stretch : source.events) {
      out += std::string{to_string(stretch.state)} + stretch.reason;
      for (const PackIdentity& pack : stretch.packs) out += "," + pack.id;
      out += " " + second(stretch.span.from) + "-" + second(stretch.span.to) + ";";
    }
  }
  return out;
}

std::string reading(const SmallWorld& world, double from, double to) {
  std::string out;
  for (const SourceKnown& source : known_between(world.input, {at(from), at(to)}, at(to)).sources) {
    for (const ReadingInterval& stretch : source.reading) {
      out += std::string{to_string(stretch.state)} + stretch.reason + " " +
             second(stretch.span.from) + "-" + second(stretch.span.to) + ";";
    }
  }
  return out;
}

TEST_CASE("coverage: event time, by which packs, and what nobody claims") {
  SmallWorld world;
  claim(world, 0, 10);
  claim(world, 10, 20, "q");
  claim(world, 18, 30, "q").source.event_gaps.push_back({{at(5), at(7)}, "truncated"});
  CHECK(events(world, -5, 40) ==
        "unknown -5-0;read,p 0-5;gaptruncated 5-7;read,p 7-10;read,q 10-30;unknown 30-40;");
  CHECK(events(world, 8, 12) == "read,p 8-10;read,q 10-12;");
  CHECK(events(world, 50, 60) == "unknown 50-60;");
  CHECK(events(world, 8, 8).empty());
  CHECK(known_between(world.input, {at(8), at(12)}, at(99)).complete());
  CHECK(!known_between(world.input, {at(4), at(12)}, at(99)).complete());
  CHECK(!known_between({}, {at(4), at(12)}, at(99)).complete());
}

TEST_CASE("coverage: reading time tiles an agent's life; a hole is unknown and silence is said") {
  SmallWorld world;
  claim(world, 0, 10);
  claim(world, 15, 20).source.reading = {{{at(15), at(17)}, ReadState::kAbsent, "no_file"},
                                         {{at(17), at(20)}, ReadState::kRead, ""}};
  CHECK(reading(world, -5, 900) ==
        "unknownno_statement -5-0;read 0-10;unknownno_statement 10-15;absentno_file 15-17;"
        "read 17-20;unknownsilent 20-900;");
  const KnownCoverage known = known_between(world.input, {at(0), at(30)}, at(621));
  REQUIRE(known.agents.size() == 1);
  CHECK(known.agents[0].silent);
  CHECK(!known_between(world.input, {at(0), at(30)}, at(620)).agents[0].silent);
  CHECK(known.agents[0].ahead == Duration{});
  CHECK(known_between(world.input, {at(0), at(30)}, at(18)).agents[0].ahead == seconds(2));
  REQUIRE(known.agents[0].holes.size() == 1);
  CHECK(known.agents[0].holes[0] == Interval{at(10), at(15)});
  claim(world, 8, 12).source.reading = {{{at(8), at(12)}, ReadState::kGap, "permission"}};
  CHECK(reading(world, 5, 16) ==
        "read 5-8;gappermission 8-12;unknownno_statement 12-15;absentno_file 15-16;");
}

TEST_CASE("coverage: one answer calls an agent silent everywhere or nowhere") {
  SmallWorld world;
  claim(world, 0, 20);
  const auto said = [&](double from, double to, double now) {
    const KnownCoverage known = known_between(world.input, {at(from), at(to)}, at(now));
    std::string out = known.agents[0].silent ? "silent: " : "not silent: ";
    for (const ReadingInterval& stretch : known.sources[0].reading) {
      out += std::string{to_string(stretch.state)} + stretch.reason + " " +
             second(stretch.span.from) + "-" + second(stretch.span.to) + ";";
    }
    return out;
  };
  CHECK(said(0, 60, 60) == "not silent: read 0-20;unknownnot_told_yet 20-60;");
  CHECK(said(0, 60, 620) == "not silent: read 0-20;unknownnot_told_yet 20-60;");
  CHECK(said(0, 60, 621) == "silent: read 0-20;unknownsilent 20-60;");
  CHECK(said(30, 60, 621) == "silent: unknownsilent 30-60;");  // all of it after the last word
  CHECK(said(0, 700, 30) ==
        "not silent: read 0-20;unknownnot_told_yet 20-30;unknownto_come 30-700;");
  CHECK(said(0, 700, 640) == "silent: read 0-20;unknownsilent 20-640;unknownto_come 640-700;");
  CHECK(said(0, 10, 5) == "not silent: read 0-10;");
  // Its clock was slow: what it has read was written later than it says that it read.
  world.input.coverage[0].source.complete = Interval{at(0), at(300)};
  CHECK(events(world, 0, 400) == "read,p 0-300;unknown 300-400;");
  CHECK(said(0, 400, 900) ==
        "not silent: read 0-20;unknownno_statement 20-300;unknownnot_told_yet 300-400;");
  CHECK(said(0, 400, 901) == "silent: read 0-20;unknownno_statement 20-300;unknownsilent 300-400;");
  // A claim of what is still to come hides no silence.
  world.input.coverage[0].source.complete = Interval{at(0), at(99'999)};
  CHECK(said(0, 60, 621) == "silent: read 0-20;unknownsilent 20-60;");
}

TEST_CASE("coverage: what a portal's rows are complete for") {
  SmallWorld world;
  world.input.receipt_coverage = {
      {"npb", {at(0), at(10)}}, {"npb", {at(10), at(20)}}, {"npb", {at(30), at(40)}}};
  const KnownCoverage known = known_between(world.input, {at(5), at(50)}, at(99));
  REQUIRE(known.portals.size() == 1);
  CHECK(known.portals[0].complete == std::vector<Interval>{{at(5), at(20)}, {at(30), at(40)}});
  CHECK(known.portals[0].unknown == std::vector<Interval>{{at(20), at(30)}, {at(40), at(50)}});
}

TEST_CASE(
    "coverage: the answer tiles any interval, and says read where a look at each second does") {
  const std::uint64_t seed = testing::seed_of_this_run();
  CAPTURE(seed);
  for (std::uint64_t i = 0; i < 200; ++i) {
    CAPTURE(i);
    SeededRandom random{seed + i};
    SmallWorld world;
    for (std::uint64_t c = 0; c <= random.below(6); ++c) {
      const double from = testing::second_of(random);
      LedgerCoverage& added = claim(world, from, from + static_cast<double>(random.below(9)),
                                    random.below(2) ? "p" : "q");
      if (random.below(3) == 0) {
        const double gap = testing::second_of(random);
        added.source.event_gaps.push_back({{at(gap), at(gap + 2)}, "lost"});
      }
    }
    const Interval span{at(-8), at(30)};
    const KnownCoverage known = known_between(world.input, span, at(99));
    REQUIRE(known.sources.size() == 1);
    Instant cursor = span.from;
    for (const EventStretch& stretch : known.sources[0].events) {
      REQUIRE(stretch.span.from == cursor);
      cursor = stretch.span.to;
      for (Instant t = stretch.span.from; t < stretch.span.to; t = t + seconds(1)) {
        bool read = false;
        bool gap = false;
        for (const LedgerCoverage& c : world.input.coverage) {
          read = read || c.source.complete->contains(t);
          for (const EventGap& g : c.source.event_gaps) gap = gap || g.span.contains(t);
        }
        const ReadState expected = gap    ? ReadState::kGap
                                   : read ? ReadState::kRead
                                          : ReadState::kUnknown;
        REQUIRE(to_string(stretch.state) == to_string(expected));
      }
    }
    REQUIRE(cursor == span.to);
    cursor = span.from;
    for (const ReadingInterval& stretch : known.sources[0].reading) {
      REQUIRE(stretch.span.from == cursor);
      cursor = stretch.span.to;
    }
    REQUIRE(cursor == span.to);
  }
}

}  // namespace
}  // namespace meldevakt::collector
