// When facts are told, how windows grow, what bounds do, what snapshots refuse.
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/detect/detector.h"
#include "tests/unit/agent/detect/script.h"

namespace meldevakt::agent {
namespace {

using testing::events;
using testing::kContent;
using testing::kEndOfTime;
using testing::kNow;
using testing::run;
using testing::settings;
using testing::show;

using Lines = std::vector<std::string>;

struct Case {
  std::string_view name;
  std::vector<std::string_view> log;
  Lines want;
};

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(show(run(events(c.log))) == c.want);
  }
}

TEST_CASE("Detector: overload windows") {
  check({
      {"one signal", {"0 - db.timeout window"}, {"0.0 window to 0.0 timeout db.timeout=1"}},
      {"signals that do not count", {"0 - db.timeout"}, {}},
      {"near ones are one window",
       {"0 - db.timeout window", "60 - db.deadlock window", "120 - db.timeout window"},
       {"0.0 window to 120.0 deadlock db.timeout=2 db.deadlock=1"}},
      {"far ones are two",
       {"0 - db.timeout window", "60.1 - db.timeout window"},
       {"0.0 window to 0.0 timeout db.timeout=1", "60.1 window to 60.1 timeout db.timeout=1"}},
      {"an earlier one widens it",
       {"10 - db.timeout window", "5 - db.timeout window"},
       {"5.0 window to 10.0 timeout db.timeout=2"}},
      {"what a rule names as the cause beats what is seen of it",
       {"0 - db.timeout window", "1 - db.lock_wait window", "2 - db.timeout driver=vacuum",
        "3 - db.lock_wait window"},
       {"0.0 window to 3.0 vacuum db.timeout=2 db.lock_wait=2"}},
      {"a backup around it",
       {"0 - backup.started", "10 - db.timeout window", "20 - db.timeout driver=vacuum",
        "30 - backup.finished"},
       {"10.0 window to 20.0 backup db.timeout=2"}},
      {"a backup that still runs",
       {"0 - backup.started", "10 - db.timeout window"},
       {"10.0 window to 10.0 backup db.timeout=1"}},
      {"a backup that was over before",
       {"0 - backup.started", "10 - db.timeout window", "15 - backup.failed",
        "20 - db.timeout window"},
       {"10.0 window to 20.0 timeout db.timeout=2"}},
      {"a backup that began later",
       {"0 - db.timeout window", "1 - backup.started", "2 - db.timeout window"},
       {"0.0 window to 2.0 timeout db.timeout=2"}},
      {"a failed save may open one",
       {"0 17 save_failed P1 window"},
       {"0.0 save_failed named P1 failed", "0.0 window to 0.0 save_failed message.save_failed=1"}},
  });
}

TEST_CASE("Detector: an open window is told at once, then now and then, then as it ended") {
  Detector detector{settings()};
  const auto log = events({"0 - db.timeout window", "10 - db.timeout window"});
  detector.observe(log[0], kContent, kNow);
  detector.idle(log[0].time, kNow + seconds(1));
  CHECK_FALSE(detector.has_ready());
  detector.idle(log[0].time, kNow + seconds(2));
  CHECK(detector.has_urgent());
  CHECK(show(detector.drain()) == Lines{"0.0 window to 0.0 open timeout db.timeout=1"});
  detector.observe(log[1], kContent, kNow + seconds(10));
  detector.idle(log[1].time, kNow + seconds(31));
  CHECK_FALSE(detector.has_ready());
  detector.idle(log[1].time, kNow + seconds(32));
  CHECK(show(detector.drain()) == Lines{"0.0 window to 10.0 open timeout db.timeout=2"});
  detector.idle(log[1].time + seconds(60), kNow + seconds(200));
  CHECK_FALSE(detector.has_ready());
  detector.idle(log[1].time + seconds(61), kNow + seconds(201));
  CHECK(show(detector.drain()) == Lines{"0.0 window to 10.0 timeout db.timeout=2"});
  detector.idle(kEndOfTime, kNow + seconds(500));
  CHECK_FALSE(detector.has_ready());
}

TEST_CASE("Detector: what is undecided is told as it stands, and refined under the same id") {
  Detector detector{settings()};
  const auto log = events({"0 17 save_failed", "4 17 . P1", "5.5 17 save_failed code=pg/55P03"});
  detector.observe(log[0], kContent, kNow);
  detector.idle(log[0].time, kNow + seconds(1));
  CHECK_FALSE(detector.has_ready());
  CHECK(detector.earliest_untold() == log[0].time);
  detector.idle(log[0].time, kNow + seconds(2));
  CHECK(detector.has_urgent());
  CHECK_FALSE(detector.earliest_untold());
  const std::vector<Fact> first = detector.drain();
  CHECK_FALSE(detector.has_urgent());
  CHECK(show(first) == Lines{"0.0 save_failed none failed"});
  detector.observe(log[1], kContent, kNow + seconds(4));
  CHECK(detector.earliest_untold() == log[0].time);
  detector.idle(log[1].time + seconds(6), kNow + seconds(4));
  const std::vector<Fact> second = detector.drain();
  CHECK(show(second) == Lines{"0.0 save_failed look_back P1 failed"});
  REQUIRE(first.size() == 1);
  REQUIRE(second.size() == 1);
  CHECK(first[0].id == second[0].id);
  CHECK(first[0].revision < second[0].revision);
}

TEST_CASE("Detector: event time alone decides when nobody looks at the wall clock") {
  Detector detector{settings()};
  const auto log = events({"0 17 save_failed", "5.1 - db.slow"});
  detector.observe(log[0], kContent, kNow);
  CHECK_FALSE(detector.has_ready());
  detector.observe(log[1], kContent, kNow);
  CHECK(show(detector.drain()) == Lines{"0.0 save_failed none failed"});
}

TEST_CASE("Detector: fact ids name content, offset and rule") {
  const auto log = events({"0 17 received P1", "1 17 received P1"});
  const auto id = [](const SignalEvent& event, std::string_view content, std::string key) {
    Detector::Settings with = settings();
    with.fact_key = std::move(key);
    Detector detector{with};
    detector.observe(event, content, kNow);
    return detector.drain().at(0).id;
  };
  const std::string key(32, 'k');
  const std::string first = id(log[0], kContent, key);
  CHECK(first.size() == 32);
  CHECK(first == id(log[0], kContent, key));
  CHECK(first != id(log[1], kContent, key));
  CHECK(first != id(log[0], "ffffffffffffffffffffffffffffffff", key));
  CHECK(first != id(log[0], kContent, std::string(32, 'x')));
  SignalEvent other_rule = log[0];
  other_rule.rule = "received-2";
  CHECK(first != id(other_rule, kContent, key));
}

TEST_CASE("Detector: bounds are decided as they stand and counted") {
  SUBCASE("waiting steps of one scope") {
    Detector::Settings with = settings();
    with.look_back_signals_max = 2;
    Detector detector{with};
    const auto log = events({"0 17 retried", "0.1 17 retried", "0.2 17 retried", "0.3 17 . P1"});
    for (const SignalEvent& event : log) detector.observe(event, kContent, kNow);
    CHECK(show(detector.drain()) ==
          Lines{"0.0 retried none", "0.1 retried look_back P1", "0.2 retried look_back P1"});
    CHECK(detector.stats().steps_forced == 1);
    CHECK(detector.stats().unattributed == 1);
  }
  SUBCASE("open steps") {
    Detector detector{settings(), {.scopes_max = 4096, .open_steps_max = 2}};
    const auto log = events({"0 1 retried", "0.1 2 retried", "0.2 3 retried", "0.3 1 . P1"});
    for (const SignalEvent& event : log) detector.observe(event, kContent, kNow);
    CHECK(show(detector.drain()) == Lines{"0.0 retried none"});
    CHECK(detector.stats().steps_forced == 1);
  }
  SUBCASE("scopes") {
    Detector detector{settings(), {.scopes_max = 2, .open_steps_max = 4096}};
    const auto log =
        events({"0 1 . P1", "0.1 2 . P2", "0.2 3 . P3", "0.3 1 committed", "0.4 3 committed"});
    for (const SignalEvent& event : log) detector.observe(event, kContent, kNow);
    detector.idle(kEndOfTime, kNow);
    CHECK(show(detector.drain()) == Lines{"0.3 committed none", "0.4 committed scope P3"});
    CHECK(detector.stats().scopes_evicted == 1);
  }
}

TEST_CASE("Detector: a snapshot of another version or form is refused") {
  const auto refused = [](std::string_view bytes) {
    const auto restored = Detector::restore(settings(), {}, bytes);
    return !restored && restored.error().code() == Errc::kCorrupt;
  };
  std::string good = Detector{settings()}.snapshot();
  REQUIRE(Detector::restore(settings(), {}, good));
  CHECK(refused(""));
  CHECK(refused("not a snapshot"));
  for (std::size_t length = 0; length < good.size(); ++length) {
    CAPTURE(length);
    CHECK(refused(std::string_view{good}.substr(0, length)));
  }
  REQUIRE(good[1] == 4);  // after the array's head: the version
  good[1] = 3;
  CHECK(refused(good));
}

}  // namespace
}  // namespace meldevakt::agent
