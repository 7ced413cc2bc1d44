#include "agent/detect/life_tracker.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/agent/detect/script.h"

namespace meldevakt::agent {
namespace {

using testing::events;
using testing::kNow;
using testing::names;
using testing::run;
using testing::show_time;

using Lines = std::vector<std::string>;

std::vector<std::string> show(const std::vector<Finding>& findings) {
  Lines out;
  for (const Finding& f : findings) {
    out.push_back(show_time(f.time) + " " + std::string{to_string(f.kind)} +
                  (f.references.empty() ? "" : " " + names(f.references)) +
                  (f.code.empty() ? "" : " " + f.code));
  }
  return out;
}

struct Case {
  std::string_view name;
  std::vector<std::string_view> log;
  double watermark;
  Lines want;
  bool commits_are_observed = true;
};

Instant at(double seconds_after) {
  return kNow + milliseconds(static_cast<std::int64_t>(seconds_after * 1000));
}

TEST_CASE("LifeTracker: what is told of a life") {
  const std::vector<Case> cases{
      {"nothing", {}, 1000, {}},
      {"stored", {"0 1 committed P1", "1 1 acknowledged P1"}, 1000, {}},
      {"stored at the same time", {"1 1 acknowledged P1", "1 1 committed P1"}, 1000, {}},
      {"receipt first",
       {"0 1 acknowledged P1", "1 1 committed P1"},
       1,
       {"1.0 receipt_before_commit P1"}},
      {"receipt first, not yet read that far",
       {"0 1 acknowledged P1", "1 1 committed P1"},
       0.9,
       {}},
      {"no commit", {"0 1 acknowledged P1"}, 30, {"0.0 receipt_without_commit P1"}},
      {"no commit yet", {"0 1 acknowledged P1"}, 29.9, {}},
      {"no commit, but this product logs none", {"0 1 acknowledged P1"}, 1000, {}, false},
      {"commit too late",
       {"0 1 acknowledged P1", "31 1 committed P1"},
       60,
       {"0.0 receipt_without_commit P1", "31.0 receipt_before_commit P1"}},
      {"failed", {"0 1 save_failed P1 code=pg/55P03"}, 30, {"0.0 failed_commit P1 pg/55P03"}},
      {"failed, still in time", {"0 1 save_failed P1"}, 29.9, {}},
      {"failed, then stored", {"0 1 save_failed P1", "3 1 committed P1"}, 1000, {}},
      {"failed after it was stored",
       {"0 1 committed P1", "1 1 save_failed P1"},
       1000,
       {"1.0 failed_commit P1"}},
      {"failed twice is told once",
       {"0 1 save_failed P1", "10 1 save_failed P1"},
       1000,
       {"0.0 failed_commit P1"}},
      {"receipted and failed",
       {"0 1 acknowledged P1", "1 1 save_failed P1"},
       1000,
       {"0.0 receipt_without_commit P1", "1.0 failed_commit P1"}},
      {"failed, of nobody knows whom", {"0 - save_failed"}, 30, {"0.0 failed_commit"}},
      {"one of two, neither stored",
       {"0 1 . P1", "6 1 save_failed", "7 1 . P2"},
       1000,
       {"6.0 failed_commit"}},
      {"one of two, both stored",
       {"0 1 . P1", "6 1 save_failed", "7 1 committed P2", "8 2 committed P1"},
       1000,
       {}},
      {"stored under its other name",
       {"0 1 . P1 T1", "1 1 acknowledged P1", "2 2 committed T1", "3 1 save_failed P2"},
       1000,
       {"2.0 receipt_before_commit P1,T1", "3.0 failed_commit P2"}},
      {"names that turn out to be one message",
       {"0 1 acknowledged T1", "1 2 committed P1", "2 - . P1 T1"},
       1000,
       {"1.0 receipt_before_commit P1,T1"}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const std::vector<Fact> facts = run(events(c.log));
    LifeTracker::Settings settings;
    settings.commits_are_observed = c.commits_are_observed;
    LifeTracker tracker{settings};
    for (const Fact& fact : facts) tracker.add(fact);
    CHECK(show(tracker.findings(at(c.watermark))) == c.want);
    CHECK(show(tracker.findings(at(c.watermark))) == Lines{});  // once

    // In any order, and over a restart between any two.
    LifeTracker other{settings};
    for (auto fact = facts.rbegin(); fact != facts.rend(); ++fact) {
      other.add(*fact);
      auto restored = LifeTracker::restore(settings, other.snapshot());
      REQUIRE(restored);
      other = std::move(restored).value();
    }
    CHECK(show(other.findings(at(c.watermark))) == c.want);
    auto told = LifeTracker::restore(settings, other.snapshot());
    REQUIRE(told);
    CHECK(show(told.value().findings(at(c.watermark))) == Lines{});
  }
}

TEST_CASE("LifeTracker: read in one go or step by step, the findings are the same") {
  const auto log =
      events({"0 1 acknowledged P1", "0.5 1 save_failed P1", "2 2 acknowledged P2",
              "3 2 committed P2", "31 1 committed P1", "40 3 save_failed", "90 3 committed P4"});
  Lines stepwise;
  LifeTracker tracker{LifeTracker::Settings{}};
  Detector detector{testing::settings()};
  for (const SignalEvent& event : log) {
    detector.observe(event, testing::kContent, kNow);
    detector.idle(testing::kEndOfTime, kNow);
    for (const Fact& fact : detector.drain()) tracker.add(fact);
    for (const std::string& line : show(tracker.findings(event.time))) stepwise.push_back(line);
  }
  for (const std::string& line : show(tracker.findings(at(1000)))) stepwise.push_back(line);
  LifeTracker late{LifeTracker::Settings{}};
  for (const Fact& fact : run(log)) late.add(fact);
  Lines at_once = show(late.findings(at(1000)));
  std::sort(stepwise.begin(), stepwise.end());
  std::sort(at_once.begin(), at_once.end());
  CHECK(stepwise == at_once);
  CHECK(at_once.size() == 5);
}

TEST_CASE("LifeTracker: a fact that is refined is judged as it was refined") {
  const auto log = events({"0 17 save_failed", "4 17 committed P1"});
  Detector detector{testing::settings()};
  LifeTracker tracker{LifeTracker::Settings{}};
  detector.observe(log[0], testing::kContent, kNow);
  detector.idle(log[0].time, kNow + seconds(3));
  for (const Fact& fact : detector.drain()) tracker.add(fact);
  detector.observe(log[1], testing::kContent, kNow + seconds(4));
  for (const Fact& fact : detector.drain()) tracker.add(fact);
  CHECK(show(tracker.findings(at(1000))) == Lines{});
}

TEST_CASE("LifeTracker: sentences are plain and name no one") {
  const auto sentences = [](const std::vector<std::string_view>& log) {
    LifeTracker tracker{LifeTracker::Settings{}};
    for (const Fact& fact : run(events(log))) tracker.add(fact);
    Lines out;
    for (const Finding& finding : tracker.findings(at(1000))) out.push_back(finding.sentence);
    return out;
  };
  CHECK(sentences({"0 1 save_failed P1 code=pg/55P03 rolled_back"}) ==
        Lines{"A save failed (pg/55P03, rolled back) and no later commit was logged within 30 s."});
  CHECK(sentences({"0 1 save_failed P1 unknown"}) ==
        Lines{"A save failed (it may or may not have been stored) and no later commit was logged "
              "within 30 s."});
  CHECK(sentences({"0 - save_failed"}) ==
        Lines{"A save failed and no later commit was logged within 30 s; the log does not say "
              "which message it was."});
  CHECK(sentences({"0 1 . P1", "6 1 save_failed", "7 1 . P2"}) ==
        Lines{"A save failed and no later commit was logged within 30 s; the log leaves open which "
              "of several messages it was."});
  CHECK(sentences({"0 1 acknowledged P1", "1 1 save_failed P1"}) ==
        Lines{"The sender was told that the message arrived, but no commit was logged within 30 s.",
              "A save failed and no later commit was logged within 30 s, but the sender was told "
              "that the message arrived."});
  CHECK(sentences({"0 1 acknowledged P1", "1.25 1 committed P1"}) ==
        Lines{"The receipt was sent 1.250 s before the message was committed: had the save failed, "
              "the message would be lost."});
}

TEST_CASE("LifeTracker: bounds") {
  LifeTracker::Settings settings;
  settings.lives_max = 2;
  LifeTracker tracker{settings};
  SUBCASE("the oldest complete life gives way first") {
    const std::vector<Fact> facts =
        run(events({"0 1 acknowledged P1", "1 2 committed P2", "2 2 acknowledged P2",
                    "40 3 acknowledged P3", "41 1 committed P1"}));
    for (std::size_t i = 0; i < 3; ++i) tracker.add(facts.at(i));
    CHECK(show(tracker.findings(at(29))) == Lines{});
    CHECK(show(tracker.findings(at(32))) == Lines{"0.0 receipt_without_commit P1"});
    for (std::size_t i = 3; i < 5; ++i) tracker.add(facts.at(i));
    CHECK(show(tracker.findings(at(1000))) ==
          Lines{"40.0 receipt_without_commit P3", "41.0 receipt_before_commit P1"});
  }
  SUBCASE("then the oldest") {
    for (const Fact& fact :
         run(events({"0 1 acknowledged P1", "1 2 acknowledged P2", "2 3 acknowledged P3"}))) {
      tracker.add(fact);
    }
    CHECK(show(tracker.findings(at(1000))) ==
          Lines{"1.0 receipt_without_commit P2", "2.0 receipt_without_commit P3"});
  }
  SUBCASE("a day later a life is forgotten") {
    const Fact fact = run(events({"0 1 acknowledged P1"})).at(0);
    tracker.add(fact);
    CHECK(tracker.findings(at(31)).size() == 1);
    CHECK(show(tracker.findings(at(86'500))) == Lines{});
    tracker.add(fact);
    CHECK(tracker.findings(at(86'500)).size() == 1);
  }
}

TEST_CASE("LifeTracker: a snapshot of another version or form is refused") {
  LifeTracker tracker{LifeTracker::Settings{}};
  for (const Fact& fact : run(events({"0 1 acknowledged P1"}))) tracker.add(fact);
  std::string good = tracker.snapshot();
  REQUIRE(LifeTracker::restore(LifeTracker::Settings{}, good));
  for (std::size_t length = 0; length < good.size(); ++length) {
    CAPTURE(length);
    const auto restored =
        LifeTracker::restore(LifeTracker::Settings{}, std::string_view{good}.substr(0, length));
    REQUIRE_FALSE(restored);
    CHECK(restored.error().code() == Errc::kCorrupt);
  }
  good[1] = 3;  // after the array's head: the version
  CHECK_FALSE(LifeTracker::restore(LifeTracker::Settings{}, good));
}

TEST_CASE("LifeTracker: deadlines are the watermarks at which findings() tells something new") {
  const std::vector<std::vector<std::string_view>> logs{
      {},
      {"0 1 committed P1", "1 1 acknowledged P1"},
      {"0 1 acknowledged P1"},
      {"0 1 acknowledged P1", "1 1 committed P1"},
      {"0 1 acknowledged P1", "31 1 committed P1"},
      {"0 1 save_failed P1", "3 1 acknowledged P1"},
      {"0 1 save_failed P1", "2 1 committed P1"},
      {"0 1 save_failed P1", "4 2 acknowledged P2", "6 3 save_failed P3", "9 3 committed P3"},
  };
  for (std::size_t i = 0; i < logs.size(); ++i) {
    CAPTURE(i);
    for (const bool observed : {true, false}) {
      LifeTracker::Settings settings;
      settings.commits_are_observed = observed;
      LifeTracker tracker{settings};
      for (const Fact& fact : run(events(logs[i]))) tracker.add(fact);
      for (const Instant deadline : tracker.deadlines()) {
        CHECK(tracker.findings(deadline - milliseconds(1)).empty());
        CHECK_FALSE(tracker.findings(deadline).empty());
      }
      CHECK(tracker.findings(at(10'000)).empty());
      CHECK(tracker.deadlines().empty());
    }
  }
}

}  // namespace
}  // namespace meldevakt::agent
