#include "collector/correlate/relaxed.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <map>
#include <tuple>

#include "collector/correlate/lives.h"
#include "common/summary/forms.h"
#include "tests/unit/collector/correlate/random_world.h"

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

// The same without a thought of cost: every commit against every message.
bool fits(const MessageVerdict& message, const RelaxedMatch& commit, Duration reach,
          const DistrictNumbers& numbers) {
  if (!message.receipted || message.committed) return false;
  if (message.verdict == Verdict::kFallback || message.verdict == Verdict::kRecovered) return false;
  const auto agree = [](const auto& a, const auto& b, const auto& unknown) {
    return a == b || a == unknown || b == unknown;
  };
  if (!agree(message.form, commit.form, FormType::kUnknown)) return false;
  std::string district = message.district;
  if (!is_district_number(district)) {
    const auto at = numbers.find(district);
    district = at == numbers.end() ? "" : at->second;
  }
  if (!agree(district, commit.district, std::string{})) return false;
  const auto near = [&](const std::optional<Instant>& time) {
    return time && std::abs((*time - commit.time).ms) <= reach.ms;
  };
  return near(message.receipted) || near(message.failed);
}

std::int64_t distance(const MessageVerdict& message, Instant time) {
  std::int64_t out = std::abs((*message.receipted - time).ms);
  if (message.failed) out = std::min(out, std::abs((*message.failed - time).ms));
  return out;
}

std::vector<RelaxedMatch> plain_matches(const Correlation& all, const TenantInput& input,
                                        const DistrictNumbers& numbers) {
  std::vector<RelaxedMatch> out;
  std::map<std::string, std::size_t> commits_of;
  for (const Step& step : nameless_commits_of(input)) {
    RelaxedMatch match;
    match.fact_id = step.id();
    match.agent = step.ledger->agent;
    match.source = step.ledger->fact.source;
    match.time = step.what->time;
    match.form = step.what->form.value_or(FormType::kUnknown);
    match.district = step.what->district;
    std::vector<std::pair<std::int64_t, std::string>> found;
    for (const MessageVerdict& message : all.messages) {
      if (!fits(message, match, input.policy.nearby + step.what->time_error, numbers)) continue;
      found.emplace_back(distance(message, match.time), message.message);
      ++commits_of[message.message];
    }
    std::sort(found.begin(), found.end());
    for (const auto& [off, message] : found) {
      if (match.messages.size() < kListedCandidatesMax) match.messages.push_back(message);
    }
    match.more = found.size() - match.messages.size();
    out.push_back(std::move(match));
  }
  for (RelaxedMatch& match : out) {
    match.only = match.messages.size() == 1 && commits_of[match.messages.front()] == 1;
  }
  return out;
}

// Messages and commits without a name, of some forms and bydeler, within `seconds_long`.
SmallWorld crowd(meldevakt::testing::SeededRandom& random, std::uint64_t messages,
                 std::uint64_t commits, std::uint64_t seconds_long) {
  SmallWorld world;
  world.input.policy.nearby = seconds(static_cast<std::int64_t>(1 + random.below(20)));
  world.trace_covered();
  constexpr FormType forms[] = {FormType::kUnknown, FormType::kPrivate, FormType::kPublic};
  const std::string districts[] = {"", "03", "04", "b1f6", "c2a7"};
  const auto second = [&] { return static_cast<double>(random.below(seconds_long)); };
  for (std::uint64_t m = 1; m <= messages; ++m) {
    Receipt& row = world.row(m, at(-9), at(second()));
    row.form = forms[random.below(3)];
    row.district = districts[random.below(5)];
    if (random.below(3) == 0) world.failed(second(), Outcome::kFailed, m);
    if (random.below(12) == 0) world.committed(second(), m);
  }
  for (std::uint64_t c = 0; c < commits; ++c) {
    auto& what = std::get<StepFact>(world.step(Signal::kMessageCommitted, second(), {}).what);
    if (random.below(3) != 0) what.form = forms[random.below(3)];
    what.district = districts[random.below(3)];
    if (random.below(4) == 0) what.time_error = seconds(static_cast<std::int64_t>(random.below(9)));
  }
  return world;
}

TEST_CASE("relaxed: the same as looking at every commit against every message") {
  const std::uint64_t seed = testing::seed_of_this_run();
  CAPTURE(seed);
  const DistrictNumbers numbers{{"b1f6", "03"}};
  std::uint64_t more = 0;
  std::uint64_t only = 0;
  for (std::uint64_t i = 0; i < 400; ++i) {
    CAPTURE(i);
    meldevakt::testing::SeededRandom random{seed + i};
    const SmallWorld world =
        crowd(random, random.below(i % 4 == 0 ? 90 : 6), random.below(8), 10 + random.below(80));
    const Correlation all = correlate(world.input, at(3000));
    const auto want = plain_matches(all, world.input, numbers);
    const auto got = relaxed_matches(all, world.input, numbers);
    REQUIRE(got.size() == want.size());
    for (std::size_t m = 0; m < got.size(); ++m) {
      const auto said = [](const RelaxedMatch& match) {
        return std::tie(match.fact_id, match.agent, match.source, match.time, match.form,
                        match.district, match.messages, match.more, match.only);
      };
      CAPTURE(m);
      REQUIRE(said(got[m]) == said(want[m]));
      more += got[m].more > 0 ? 1U : 0U;
      only += got[m].only ? 1U : 0U;
    }
  }
  CHECK(more > 50);  // both were seen
  CHECK(only > 20);
}

TEST_CASE("relaxed: twice as many within minutes cost little more than twice as much") {
  const auto cost = [](std::uint64_t n) {
    meldevakt::testing::SeededRandom random{7};
    const SmallWorld world = crowd(random, n, n, 60);
    std::uint64_t looked_at = 0;
    (void)relaxed_matches(correlate(world.input, at(3000)), world.input, {}, &looked_at);
    return looked_at;
  };
  const std::uint64_t few = cost(300);
  const std::uint64_t many = cost(1200);
  CAPTURE(few);
  CAPTURE(many);
  CHECK(few > 0);
  CHECK(many < 5 * few);
}

}  // namespace
}  // namespace meldevakt::collector
