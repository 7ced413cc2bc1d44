#include "collector/correlate/relaxed.h"

#include <doctest/doctest.h>

#include "collector/correlate/lives.h"
#include "tests/unit/collector/correlate/small_world.h"

namespace meldevakt::collector {
namespace {

using testing::at;
using testing::portal_id;
using testing::SmallWorld;

std::string told(const SmallWorld& world, const DistrictNumbers& numbers = {}) {
  const Correlation all = correlate(world.input, at(3000));
  std::string out;
  for (const RelaxedMatch& match : relaxed_matches(all, world.input, numbers)) {
    out += match.only ? "only" : "some";
    for (const std::string& message : match.messages) out += " " + message.substr(35);
    if (match.more > 0) out += " +" + std::to_string(match.more);
    out += ";";
  }
  return out;
}

TEST_CASE("relaxed: a commit that names nobody, by time and form") {
  SmallWorld world;
  world.trace_covered();
  world.row(1, at(-9), at(0)).form = FormType::kPrivate;
  world.row(2, at(-9), at(60)).form = FormType::kPublic;
  Fact& commit = world.step(Signal::kMessageCommitted, 10, {});
  CHECK(told(world) == "some 1 2;");
  std::get<StepFact>(commit.what).form = FormType::kPublic;
  CHECK(told(world) == "only 2;");
  std::get<StepFact>(commit.what).time = at(400);
  CHECK(told(world) == "some;");
  std::get<StepFact>(commit.what).time_error = seconds(230);
  CHECK(told(world) == "only 2;");
  // Nothing of it is ever counted as stored.
  const Correlation all = correlate(world.input, at(3000));
  CHECK(all.messages[0].verdict == Verdict::kMissing);
  CHECK(all.messages[1].verdict == Verdict::kUnverifiable);
  CHECK(!all.messages[1].committed);
}

TEST_CASE("relaxed: of another bydel it is not, where both are known") {
  SmallWorld world;
  world.trace_covered();
  world.row(1, at(-9), at(0)).district = "b1f6";
  world.row(2, at(-9), at(0)).district = "c2a7";
  world.row(3, at(-9), at(0));
  std::get<StepFact>(world.received(-1, 3).what).district = "04";  // from its own log
  world.row(4, at(-9), at(0)).district = "03";  // a portal that gives the number itself
  Fact& commit = world.step(Signal::kMessageCommitted, 10, {});
  CHECK(told(world) == "some 1 2 3 4;");
  std::get<StepFact>(commit.what).district = "03";
  CHECK(told(world) == "some 1 2 4;");  // what the portal's ids mean is not known
  const DistrictNumbers numbers{{"b1f6", "03"}, {"c2a7", "04"}};
  CHECK(told(world, numbers) == "some 1 4;");
  std::get<StepFact>(commit.what).district = "05";
  CHECK(told(world, numbers) == "some;");
  const Correlation all = correlate(world.input, at(3000));
  CHECK(all.messages[0].district == "b1f6");
  CHECK(all.messages[2].district == "04");
}

TEST_CASE("relaxed: two commits for one message are both told, and neither is the only one") {
  SmallWorld world;
  world.trace_covered();
  world.row(1, at(-9), at(0));
  world.step(Signal::kMessageCommitted, 1, {});
  world.step(Signal::kMessageCommitted, 2, {});
  CHECK(told(world) == "some 1;some 1;");
  world.committed(3);  // it has one of its own: the others are somebody else's
  CHECK(told(world) == "some;some;");
}

TEST_CASE("relaxed: no more alternatives are listed than there is room for") {
  SmallWorld world;
  world.trace_covered();
  for (std::uint64_t m = 1; m <= kListedCandidatesMax + 3; ++m) world.row(m, at(-9), at(0));
  world.step(Signal::kMessageCommitted, 1, {});
  CHECK(told(world).find(" +3;") != std::string::npos);
}

}  // namespace
}  // namespace meldevakt::collector
