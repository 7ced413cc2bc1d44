#include "collector/correlate/testimony.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "collector/correlate/names.h"
#include "collector/correlate/told_names.h"
#include "tests/unit/collector/correlate/small_world.h"

namespace meldevakt::collector {
namespace {

using testing::at;
using testing::portal_id;
using testing::SmallWorld;

Testimony entry(std::uint64_t number, decltype(Testimony::what) what) {
  return {number, at(9000), "Kari Nordmann", "", std::move(what)};
}

// 1 is lost, 2 is stored, 3 has not been seen to fail by a log that tells of nothing else.
Correlation evening() {
  SmallWorld world;
  world.trace_covered();
  world.received(0);
  world.acknowledged(1);
  world.failed(2);
  world.received(10, 2);
  world.committed(11, 2);
  world.acknowledged(12, 2);
  return correlate(world.input, at(3000));
}

Correlation failures_only() {
  SmallWorld world;
  world.failures_covered();
  for (std::uint64_t m = 1; m <= 3; ++m) world.row(m, at(0), at(60 * static_cast<double>(m)));
  world.input.receipts.back().form = FormType::kPrivate;
  return correlate(world.input, at(3000));
}

TEST_CASE(
    "testimony: a person's word makes a lost message recovered, and keeps what was concluded") {
  Correlation all = evening();
  const std::string concluded = all.messages[0].explanation;
  REQUIRE(all.messages[0].verdict == Verdict::kLost);
  apply_testimony(all, {entry(1, MessageRecovered{portal_id(1), at(5000)})});
  CHECK(all.messages[0].verdict == Verdict::kRecovered);
  CHECK(all.messages[0].category == Category::kB);
  CHECK(all.messages[0].explanation.find("sent again, says Kari Nordmann") != std::string::npos);
  CHECK(all.messages[0].explanation.find(concluded.substr(0, concluded.size() - 1)) !=
        std::string::npos);
  CHECK(!needs_action(all.messages[0].verdict));
}

TEST_CASE("testimony: recovered after the purge is category A; what was stored needs no recovery") {
  Correlation all = evening();
  all.messages[0].purge_deadline = at(4000);
  apply_testimony(all,
                  {entry(1, MessageRecovered{portal_id(1), at(5000), RecoveredHow::kStoredByHand}),
                   entry(2, MessageRecovered{portal_id(2), at(5000)}),
                   entry(3, MessageRecovered{"nobody's", at(5000)})});
  CHECK(all.messages[0].category == Category::kA);
  CHECK(all.messages[1].verdict == Verdict::kStored);
}

TEST_CASE("testimony: the flag of category D stands beside the verdict and can be taken back") {
  Correlation all = evening();
  const std::vector<Testimony> both{entry(1, SenderMistaken{portal_id(1)}), entry(2, TakenBack{1})};
  apply_testimony(all, {both[0]});
  CHECK(all.messages[0].sender_mistaken);
  CHECK(all.messages[0].verdict == Verdict::kLost);
  CHECK(!all.messages[1].sender_mistaken);
  all = evening();
  apply_testimony(all, both);
  CHECK(!all.messages[0].sender_mistaken);
  all = evening();  // taken back, and that taken back: it stands again
  apply_testimony(all, {entry(3, TakenBack{2}), both[1], both[0]});
  CHECK(all.messages[0].sender_mistaken);
  all = evening();  // nobody takes back what is not said yet
  apply_testimony(all, {entry(1, TakenBack{2}), entry(2, SenderMistaken{portal_id(1)})});
  CHECK(all.messages[0].sender_mistaken);
}

// Named by its transport id until an alias ties the portal's id to it; lost by either name.
SmallWorld named_late() {
  SmallWorld world;
  world.trace_covered();
  world.step(Signal::kMessageAcknowledged, 1, {testing::transport(7)});
  world.step(Signal::kMessageSaveFailed, 2, {testing::transport(7)});
  return world;
}

TEST_CASE("testimony: what was told stays with the message when a later fact renames it") {
  SmallWorld world = named_late();
  Correlation all = correlate(world.input, at(3000));
  REQUIRE(all.messages.size() == 1);
  const std::string then = all.messages[0].message;
  const std::vector<Testimony> told{entry(1, MessageRecovered{then, at(5000)}),
                                    entry(2, SenderMistaken{then})};
  apply_testimony(all, told);
  CHECK(all.messages[0].verdict == Verdict::kRecovered);
  world.alias({testing::transport(7), testing::portal(1)});
  all = correlate(world.input, at(3000));
  REQUIRE(all.messages[0].message == portal_id(1));
  apply_testimony(all, told);
  CHECK(all.messages[0].verdict == Verdict::kRecovered);
  CHECK(all.messages[0].sender_mistaken);
  CHECK(ToldNames{all, {then}}.of(then) == 0U);
  // Shared by two messages it names neither: nobody guesses.
  world.alias({testing::transport(7), testing::portal(2)});
  world.row(1, at(0), at(1)), world.row(2, at(0), at(1));
  all = correlate(world.input, at(3000));
  REQUIRE(all.messages.size() == 2);
  apply_testimony(all, told);
  for (const MessageVerdict& message : all.messages) {
    CHECK(message.verdict != Verdict::kRecovered);
    CHECK(!message.sender_mistaken);
  }
  CHECK(!ToldNames{all, {then}}.of(then));
}

TEST_CASE(
    "testimony: of contradicting words of messages that are one the newest counts, and says") {
  SmallWorld world = named_late();
  world.acknowledged(1);
  world.failed(2);
  Correlation all = correlate(world.input, at(3000));
  REQUIRE(all.messages.size() == 2);
  const std::string other = message_name_of(testing::transport(7));
  std::vector<Testimony> told{
      entry(1, MessageRecovered{portal_id(1), at(5000), RecoveredHow::kFound}),
      entry(2, MessageRecovered{other, at(6000), RecoveredHow::kDownloaded}),
      entry(3, MessageRecovered{portal_id(1), at(5000), RecoveredHow::kFound})};
  world.alias({testing::transport(7), testing::portal(1)});
  for (int order = 0; order < 2; ++order) {
    all = correlate(world.input, at(3000));
    REQUIRE(all.messages.size() == 1);
    apply_testimony(all, told);
    const std::string& says = all.messages[0].explanation;
    CHECK(says.find("Recovered at " + to_rfc3339(at(5000)) + ": found") == 0);
    CHECK(says.find("(entry 2 says otherwise: downloaded by hand, says Kari Nordmann at " +
                    to_rfc3339(at(6000)) + ")") != std::string::npos);
    std::reverse(told.begin(), told.end());
  }
  told.push_back(entry(4, TakenBack{2}));
  all = correlate(world.input, at(3000));
  apply_testimony(all, told);
  CHECK(all.messages[0].explanation.find("otherwise") == std::string::npos);
}

TEST_CASE("testimony: counts agree, are short or over, within their time and form") {
  struct Case {
    std::string name;
    StoredCount told;
    std::uint64_t expected;
    Reconciliation::State state;
    std::string verdicts;
  };
  const std::string well = "no_failure_seen no_failure_seen no_failure_seen ";
  using State = Reconciliation::State;
  const std::vector<Case> cases{
      {"all", {{at(0), at(600)}, std::nullopt, 3}, 3, State::kAgrees, well},
      {"one short",
       {{at(0), at(600)}, std::nullopt, 2},
       3,
       State::kShort,
       "unverifiable unverifiable unverifiable "},
      {"of the first two one is short",
       {{at(0), at(180)}, std::nullopt, 1},
       2,
       State::kShort,
       "unverifiable unverifiable no_failure_seen "},
      {"over", {{at(0), at(600)}, std::nullopt, 4}, 3, State::kOver, well},
      {"of one form",
       {{at(0), at(600)}, FormType::kPrivate, 0},
       1,
       State::kShort,
       "no_failure_seen no_failure_seen unverifiable "},
      {"of another time", {{at(700), at(800)}, std::nullopt, 0}, 0, State::kAgrees, well},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Correlation all = failures_only();
    const auto found = apply_testimony(all, {entry(1, c.told)});
    REQUIRE(found.size() == 1);
    CHECK(found[0].expected == c.expected);
    CHECK(to_string(found[0].state) == to_string(c.state));
    std::string verdicts;
    for (const auto& message : all.messages) {
      verdicts += std::string{to_string(message.verdict)} + " ";
    }
    CHECK(verdicts == c.verdicts);
  }
}

TEST_CASE("testimony: a count is of what was stored when it was told") {
  using State = Reconciliation::State;
  // 1 is lost, 2 and 3 are not seen to fail; counted at 7000.
  SmallWorld world;
  world.failures_covered();
  for (std::uint64_t m = 1; m <= 3; ++m) world.row(m, at(0), at(60 * static_cast<double>(m)));
  world.failed(60.5);
  const auto state_of = [&](std::uint64_t count, std::vector<Testimony> words) {
    Testimony told = entry(1, StoredCount{{at(0), at(600)}, std::nullopt, count});
    told.told = at(7000);
    words.push_back(told);
    Correlation all = correlate(world.input, at(8000));
    const auto found = apply_testimony(all, words);
    CHECK(all.messages[1].counted == (found[0].state == State::kAgrees));
    return std::string{to_string(found[0].state)};
  };
  const auto recovered = [&](double when, RecoveredHow how) {
    return std::vector<Testimony>{entry(2, MessageRecovered{portal_id(1), at(when), how})};
  };
  CHECK(state_of(2, {}) == "agrees");
  CHECK(state_of(2, recovered(7001, RecoveredHow::kDownloaded)) == "agrees");
  CHECK(state_of(2, recovered(7001, RecoveredHow::kSentAgain)) == "agrees");
  CHECK(state_of(3, recovered(7001, RecoveredHow::kSentAgain)) == "over");
  CHECK(state_of(1, recovered(7001, RecoveredHow::kSentAgain)) == "short");
  // It was there when it was counted.
  CHECK(state_of(3, recovered(7000, RecoveredHow::kStoredByHand)) == "agrees");
  CHECK(state_of(2, recovered(7000, RecoveredHow::kStoredByHand)) == "short");
  CHECK(state_of(3, recovered(7001, RecoveredHow::kFound)) == "agrees");
  // A commit of it that came later than the count.
  world.committed(7001);
  CHECK(state_of(2, {}) == "agrees");
  world.committed(6999);
  CHECK(state_of(2, {}) == "short");
  CHECK(state_of(3, {}) == "agrees");
}

TEST_CASE("testimony: a count that is short is not outvoted by one that agrees, in either order") {
  std::vector<Testimony> both{entry(1, StoredCount{{at(0), at(600)}, std::nullopt, 3}),
                              entry(2, StoredCount{{at(0), at(180)}, std::nullopt, 1})};
  for (int order = 0; order < 2; ++order) {
    Correlation all = failures_only();
    apply_testimony(all, both);
    CHECK(all.messages[0].verdict == Verdict::kUnverifiable);
    CHECK(all.messages[0].cause == "count_short");
    CHECK(all.messages[2].explanation.find("the count agrees") != std::string::npos);
    std::reverse(both.begin(), both.end());
  }
}

TEST_CASE("testimony: what cannot be meant is refused") {
  Testimony good = entry(1, MessageRecovered{portal_id(1), at(5000)});
  CHECK(check_testimony(good).has_value());
  good.person.clear();
  CHECK(!check_testimony(good));
  good = entry(1, MessageRecovered{portal_id(1), at(9001)});
  CHECK(!check_testimony(good));
  CHECK(!check_testimony(entry(1, StoredCount{{at(2), at(2)}, std::nullopt, 1})));
  CHECK(!check_testimony(entry(1, StoredCount{{at(0), at(9001)}, std::nullopt, 1})));
  CHECK(!check_testimony(entry(1, SenderMistaken{""})));
  good = entry(1, SenderMistaken{portal_id(1)});
  good.note = std::string(kNoteBytesMax, 'x');
  CHECK(check_testimony(good).has_value());
  good.note += 'x';
  CHECK(!check_testimony(good));
}

}  // namespace
}  // namespace meldevakt::collector
