#include "agent/detect/detector.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/agent/detect/script.h"

namespace meldevakt::agent {
namespace {

using testing::events;
using testing::run;
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

}  // namespace
}  // namespace meldevakt::agent
