#include "agent/detect/detector.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

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

TEST_CASE("Detector: a record belongs to the message that its scope works on") {
  check({
      {"nothing", {}, {}},
      {"named by itself", {"0 17 received P1"}, {"0.0 received named P1"}},
      {"named, without a scope", {"0 - committed P1"}, {"0.0 committed named P1"}},
      {"without a name or a scope", {"0 - save_failed"}, {"0.0 save_failed none failed"}},
      {"named before", {"0 17 . P1", "1 17 committed"}, {"1.0 committed scope P1"}},
      {"named before, in another scope", {"0 17 . P1", "1 18 committed"}, {"1.0 committed none"}},
      {"another name takes over",
       {"0 17 . P1", "1 17 . P2", "2 17 committed"},
       {"2.0 committed scope P2"}},
      {"two threads at once",
       {"0 17 . P1", "0.1 18 . P2", "0.2 17 committed", "0.3 18 save_failed"},
       {"0.2 committed scope P1", "0.3 save_failed scope P2 failed"}},
      {"named later", {"0 17 save_failed", "4.9 17 . P1"}, {"0.0 save_failed look_back P1 failed"}},
      {"named too late", {"0 17 save_failed", "5.1 17 . P1"}, {"0.0 save_failed none failed"}},
      {"named in time by a record of disorder",
       {"3 17 save_failed", "2 17 . P1"},
       {"3.0 save_failed look_back P1 failed"}},
      {"a life that begins later cannot have failed before",
       {"0 17 save_failed", "0.1 17 received P1"},
       {"0.0 save_failed none failed", "0.1 received named P1"}},
      {"nor does it make its predecessor's failure doubtful",
       {"0 17 . P1", "20 17 save_failed", "20.1 17 received P2"},
       {"20.0 save_failed scope P1 failed", "20.1 received named P2"}},
      {"a received message without a name is not the one before",
       {"0 17 . P1", "1 17 received", "2 17 committed"},
       {"1.0 received none", "2.0 committed none"}},
      {"... and may be named by the next",
       {"0 17 . P1", "1 17 received", "2 17 committed P2"},
       {"1.0 received look_back P2", "2.0 committed named P2"}},
      {"a name that had to be dropped is a name",
       {"0 17 . P1", "1 17 committed dropped", "2 17 acknowledged"},
       {"1.0 committed none", "2.0 acknowledged none"}},
      {"two messages in one record",
       {"0 17 . P1", "1 17 committed P2 P3", "2 17 acknowledged"},
       {"1.0 committed ambiguous P2,P3", "2.0 acknowledged none"}},
  });
}

TEST_CASE("Detector: what could belong to two messages is said of both, never guessed") {
  check({
      {"heard of lately: no doubt",
       {"0 17 . P1", "5 17 save_failed", "5.1 17 . P2"},
       {"5.0 save_failed scope P1 failed"}},
      {"not lately, and another is named next",
       {"0 17 . P1", "5.1 17 save_failed", "6 17 . P2"},
       {"5.1 save_failed ambiguous P1,P2 failed"}},
      {"not lately, and the same is named next",
       {"0 17 . P1", "5.1 17 save_failed", "6 17 . P1"},
       {"5.1 save_failed scope P1 failed"}},
      {"not lately, and another is named much later",
       {"0 17 . P1", "5.1 17 save_failed", "10.2 17 . P2"},
       {"5.1 save_failed scope P1 failed"}},
      {"not lately, and another thread names another",
       {"0 17 . P1", "5.1 17 save_failed", "6 18 . P2"},
       {"5.1 save_failed scope P1 failed"}},
      {"what surely is its keeps it known",
       {"0 17 . P1", "4 17 retried", "8 17 save_failed", "8.1 17 . P2"},
       {"4.0 retried scope P1", "8.0 save_failed scope P1 failed"}},
      {"candidates hold every name",
       {"0 17 . P1 T1", "5.1 17 committed", "6 17 . P2 T2"},
       {"0.0 alias P1,T1", "5.1 committed ambiguous P1,P2,T1,T2", "6.0 alias P2,T2"}},
      {"two records in doubt are one failure in doubt",
       {"0 17 . P1", "6 17 save_failed failed", "7 17 save_failed code=pg/57014", "8 17 . P2"},
       {"6.0 save_failed ambiguous P1,P2 failed pg/57014 x2"}},
  });
}

TEST_CASE("Detector: a scope ends by rule, by restart and by age") {
  check({
      {"by rule",
       {"0 17 . P1", "1 17 acknowledged ends", "2 17 save_failed"},
       {"1.0 acknowledged scope P1", "2.0 save_failed none failed"}},
      {"the ending record itself names, and its own steps are in",
       {"0 17 save_failed", "1 17 acknowledged P1 ends", "2 17 committed"},
       {"0.0 save_failed look_back P1 failed", "1.0 acknowledged named P1", "2.0 committed none"}},
      {"the end holds from the next record on",
       {"0 17 . P1", "1 17 committed ends", "1 17 acknowledged same", "2 17 retried"},
       {"1.0 acknowledged scope P1", "1.0 committed scope P1", "2.0 retried none"}},
      {"what waited for a name waits no longer",
       {"0 17 save_failed", "1 17 . ends", "2 17 . P1"},
       {"0.0 save_failed none failed"}},
      {"one scope's end is not another's",
       {"0 17 . P1", "0 18 . P2", "1 17 . ends", "2 18 committed"},
       {"2.0 committed scope P2"}},
      {"restart ends all",
       {"0 17 . P1", "0 18 . P2", "1 - process.started restarts", "2 17 committed",
        "2 18 committed"},
       {"2.0 committed none", "2.0 committed none"}},
      {"no look-back across a restart",
       {"0 17 save_failed", "1 - process.started restarts", "2 17 . P1"},
       {"0.0 save_failed none failed"}},
      {"a restarting record may name",
       {"0 - process.started restarts P1", "0 17 . same P2", "1 17 committed"},
       {"1.0 committed scope P2"}},
      {"age counts from the scope's last record",
       {"0 17 . P1", "29 17 db.slow", "58 17 committed"},
       {"58.0 committed scope P1"}},
      {"too old", {"0 17 . P1", "30.1 17 committed"}, {"30.1 committed none"}},
      {"the clock was set back by an hour",
       {"3600 17 . P1", "1 17 committed"},
       {"1.0 committed none"}},
  });
}

TEST_CASE("Detector: scopes within scopes") {
  check({
      {"the innermost says most",
       {"0 17 . P1", "1 17/r2 . P2", "2 17/r2 committed"},
       {"2.0 committed scope P2"}},
      {"a request goes on on another thread",
       {"0 17/r1 . P1", "0.1 18/r2 . P2", "1 18/r1 committed"},
       {"1.0 committed scope P1"}},
      {"... and takes that thread with it",
       {"0 17/r1 . P1", "0 18 . P2", "1 18/r1 retried", "2 18 committed"},
       {"1.0 retried scope P1", "2.0 committed scope P1"}},
      {"a record of the thread alone",
       {"0 17/r1 . P1", "1 17 save_failed"},
       {"1.0 save_failed scope P1 failed"}},
      {"another request on the same thread is another",
       {"0 17/r1 . P1", "1 17/r2 save_failed"},
       {"1.0 save_failed none failed"}},
      {"what the thread said holds for its requests",
       {"0 17 . P1", "1 17/r2 save_failed"},
       {"1.0 save_failed scope P1 failed"}},
      {"look-back within a request only",
       {"0 17/r1 save_failed", "1 17/r2 . P2"},
       {"0.0 save_failed none failed"}},
      {"look-back from the thread to its request",
       {"0 17 save_failed", "1 17/r2 . P2"},
       {"0.0 save_failed look_back P2 failed"}},
  });
}

TEST_CASE("Detector: records of one failure are one fact, with the worst outcome") {
  check({
      {"driver, handler, wrapper",
       {"0 17 received P1", "1 17 save_failed failed code=pg/55P03", "1.1 17 save_failed P1",
        "1.2 17 save_failed code=SaveException"},
       {"0.0 received named P1", "1.0 save_failed named P1 failed pg/55P03 x3"}},
      {"without an owner at first",
       {"1 17 save_failed code=net", "1.1 17 save_failed P1 unknown code=mssql/-2"},
       {"1.0 save_failed named P1 unknown mssql/-2 x2"}},
      {"unknown is worse than failed",
       {"0 17 save_failed P1 unknown", "1 17 save_failed P1 failed"},
       {"0.0 save_failed named P1 unknown x2"}},
      {"rolled back refines failed",
       {"0 17 save_failed P1 failed", "1 17 save_failed P1 rolled_back"},
       {"0.0 save_failed named P1 rolled_back x2"}},
      {"but does not undo unknown",
       {"0 17 save_failed P1 rolled_back", "1 17 save_failed P1 unknown"},
       {"0.0 save_failed named P1 unknown x2"}},
      {"a wrapper that says nothing of the outcome changes nothing",
       {"0 17 save_failed P1 rolled_back", "1 17 save_failed P1"},
       {"0.0 save_failed named P1 rolled_back x2"}},
      {"same message, another thread",
       {"0 17 save_failed P1", "1 18 save_failed P1"},
       {"0.0 save_failed named P1 failed x2"}},
      {"same message by its other name",
       {"0 17 . P1 T1", "1 17 save_failed P1", "2 18 save_failed T1"},
       {"0.0 alias P1,T1", "1.0 save_failed named P1,T1 failed x2"}},
      {"too far apart",
       {"0 17 save_failed P1", "2.1 17 save_failed P1"},
       {"0.0 save_failed named P1 failed", "2.1 save_failed named P1 failed"}},
      {"near to the one before is enough",
       {"0 17 save_failed P1", "1.5 17 save_failed P1", "3 17 save_failed P1"},
       {"0.0 save_failed named P1 failed x3"}},
      {"another message on the same thread",
       {"0 17 save_failed P1", "1 17 save_failed P2"},
       {"0.0 save_failed named P1 failed", "1.0 save_failed named P2 failed"}},
      {"nothing in common",
       {"0 - save_failed", "1 - save_failed"},
       {"0.0 save_failed none failed", "1.0 save_failed none failed"}},
      {"one record by two rules",
       {"0 - save_failed", "0 - save_failed same code=pg/57014 unknown"},
       {"0.0 save_failed none unknown pg/57014"}},
      {"the handler names another than the one in doubt",
       {"0 17 . P1", "6 17 save_failed code=pg/55P03", "6.1 17 save_failed P2"},
       {"6.0 save_failed ambiguous P1,P2 failed pg/55P03", "6.1 save_failed named P2 failed"}},
      {"names that had to be dropped, on one thread",
       {"0 17 save_failed dropped", "1 17 save_failed code=pg/55P03"},
       {"0.0 save_failed none failed pg/55P03 x2"}},
  });
}

TEST_CASE("Detector: a new attempt fails anew") {
  check({
      {"retried by name",
       {"0 17 save_failed P1", "0.1 17 retried P1", "0.2 17 save_failed P1"},
       {"0.0 save_failed named P1 failed", "0.1 retried named P1",
        "0.2 save_failed named P1 failed"}},
      {"retried by scope",
       {"0 17 . P1", "0.1 17 save_failed", "0.2 17 retried", "0.3 17 save_failed",
        "0.4 17 save_failed"},
       {"0.1 save_failed scope P1 failed", "0.2 retried scope P1",
        "0.3 save_failed scope P1 failed x2"}},
      {"retried before anybody was named",
       {"0 17 save_failed", "0.1 17 retried", "0.2 17 save_failed", "0.3 17 . P1"},
       {"0.0 save_failed look_back P1 failed", "0.1 retried look_back P1",
        "0.2 save_failed look_back P1 failed"}},
      {"another message's retry is no matter",
       {"0 17 save_failed P1", "0.1 18 retried P2", "0.2 17 save_failed P1"},
       {"0.0 save_failed named P1 failed x2", "0.1 retried named P2"}},
      {"committed in between",
       {"0 17 save_failed P1", "0.1 17 committed P1", "0.2 17 save_failed P1"},
       {"0.0 save_failed named P1 failed", "0.1 committed named P1",
        "0.2 save_failed named P1 failed"}},
      {"a receipt in between is the fault itself, not an attempt",
       {"0 17 save_failed P1", "0.1 17 acknowledged P1", "0.2 17 save_failed P1"},
       {"0.0 save_failed named P1 failed x2", "0.1 acknowledged named P1"}},
      {"the scope ended in between",
       {"0 17 save_failed", "0.1 17 . ends", "0.2 17 save_failed"},
       {"0.0 save_failed none failed", "0.2 save_failed none failed"}},
  });
}

TEST_CASE("Detector: what the database says in a scope belongs to the failure there") {
  check({
      {"before",
       {"0 17 . P1", "1 17 db.timeout code=mssql/-2 unknown", "1.1 17 save_failed"},
       {"1.1 save_failed scope P1 unknown mssql/-2 x2"}},
      {"after",
       {"1 17 save_failed P1", "1.1 17 db.deadlock code=pg/40P01"},
       {"1.0 save_failed named P1 failed pg/40P01 x2"}},
      {"too long before",
       {"1 17 db.timeout code=mssql/-2", "3.1 17 save_failed P1"},
       {"3.1 save_failed named P1 failed"}},
      {"on another thread",
       {"1 18 db.timeout code=mssql/-2", "1.1 17 save_failed P1"},
       {"1.1 save_failed named P1 failed"}},
      {"of the message before",
       {"0 17 . P1", "1 17 db.timeout code=mssql/-2", "1.1 17 received P2", "1.2 17 save_failed"},
       {"1.1 received named P2", "1.2 save_failed scope P2 failed"}},
      {"of the same record, without a scope",
       {"1 - db.timeout code=mssql/-2", "1 - save_failed P1 same"},
       {"1.0 save_failed named P1 failed mssql/-2"}},
      {"alone it is no step", {"1 17 db.timeout code=mssql/-2 P1"}, {}},
  });
}

TEST_CASE("Detector: aliases are told once and known from then on") {
  check({
      {"one message, two names",
       {"0 17 received P1 T1", "1 17 committed P1 T1"},
       {"0.0 alias P1,T1", "0.0 received named P1,T1", "1.0 committed named P1,T1"}},
      {"a third name is news",
       {"0 - . P1 T1", "1 - . P1 T1", "2 - . P1 T2", "3 - . T1 T2"},
       {"0.0 alias P1,T1", "2.0 alias P1,T2"}},
      {"another name of the same message does not take over",
       {"0 - . P1 T1", "1 17 . P1", "7 17 save_failed", "8 17 . T1"},
       {"0.0 alias P1,T1", "7.0 save_failed scope P1 failed"}},
  });
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
  REQUIRE(good[1] == 1);  // after the array's head: the version
  good[1] = 2;
  CHECK(refused(good));
}

}  // namespace
}  // namespace meldevakt::agent
