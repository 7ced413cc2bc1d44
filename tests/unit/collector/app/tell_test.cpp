// What people tell, from the command's entry through the writer and the store to what is said of
// messages and incidents.
#include "collector/app/tell_command.h"

#include <doctest/doctest.h>

#include "collector/app/control_tell.h"
#include "tests/unit/collector/app/told_world.h"

namespace meldevakt::collector {
namespace {

using testing::holds;
using testing::kLater;
using testing::kLost;
using testing::kNext;
using testing::kStart;
using testing::kStored;
using testing::time_of;
using World = testing::ToldWorld;

TEST_CASE("tell recovered: the verdict, the category, the fleet; and taken back") {
  World world;
  REQUIRE(world.verdict(kLost) == Verdict::kLost);
  TellOptions options;
  options.messages = {kLost};
  options.how = "downloaded";
  options.when = time_of(kStart + hours(20));
  options.note = "lasta ned frå portalen";
  const std::string id = world.incident_of(kLost);
  CHECK(world.tell(tell_recovered, options).value() == 0);
  const View seen = world.view();
  CHECK(world.verdict(kLost) == Verdict::kRecovered);
  const auto& message = seen.correlation.messages.front();
  CHECK(message.category == Category::kB);
  CHECK(holds(message.explanation, "downloaded by hand, says Kari Prøve, leiar"));
  CHECK(holds(message.explanation, "before that it was lost"));
  const Interval asked{kStart, kStart + days(1)};
  CHECK(fleet_row_of(seen, asked).answer.lost == 3);  // it was lost, and stays so in table 2
  // The incident stays, with its id and its clock of 72 hours; nothing of it needs action.
  CHECK(world.incident_of(kLost) == id);
  CHECK(open_incidents(seen) == 1);
  TellOptions aware;
  aware.incidents = {id};
  aware.when = time_of(kStart + hours(3));
  REQUIRE(world.tell(tell_aware, aware));
  const View later = world.view();
  for (const Incident& incident : later.incidents) {
    if (incident.id != id) continue;
    CHECK_FALSE(incident.open);
    CHECK(incident.worst == Verdict::kRecovered);
    CHECK(beside_of(later).of(incident).level == ClockLevel::kNotice);
  }
  TellOptions back;
  back.entry = "0";
  CHECK(world.tell(tell_back, back).value() == 2);
  CHECK(world.verdict(kLost) == Verdict::kLost);
  CHECK(holds(world.refused(tell_back, back), "taken back already"));
}

TEST_CASE("tell: a word that reaches no message any more is an alarm until it is taken back") {
  World world;
  Testimony told;
  told.told = world.clock.now();
  told.person = "Kari";
  told.what = SenderMistaken{"client_id:gone"};
  REQUIRE(world.store->add_told(world.tenant.id, told, world.clock.now()));
  const std::vector<Alarm> alarms = world.view().alarms;
  REQUIRE(alarms.size() == 1);
  CHECK(alarms[0].kind == "told_of_nobody");
  CHECK(holds(alarms[0].detail, "entry 0 tells of client_id:gone"));
  TellOptions back;
  back.entry = "0";
  REQUIRE(world.tell(tell_back, back));
  CHECK(world.view().alarms.empty());
}

TEST_CASE("tell: what a late commit leaves nothing to be recovered of is refused") {
  World world;
  const char* const soon = "11111111-0000-4000-8000-000000000008";
  const char* const late = "11111111-0000-4000-8000-000000000009";
  const Instant at = world.clock.now();
  world.clock.advance(days(3));
  world.tell_frame(world.agent, {{soon, at, at + seconds(1), {}, at + minutes(9)},
                                 {late, at, at + seconds(1), {}, at + hours(3)}});
  world.clock.advance(hours(1));
  REQUIRE(world.verdict(late) == Verdict::kStoredAfterReceipt);
  const auto recovered = [](const char* message, const char* how, Instant when) {
    TellOptions out;
    out.messages = {message};
    out.how = how;
    out.when = time_of(when);
    return out;
  };
  for (const TellOptions& options :
       {recovered(soon, "sent_again", at + minutes(9)), recovered(late, "found", at + hours(3)),
        recovered(late, "sent_again", at + hours(28))}) {
    CHECK(holds(world.refused(tell_recovered, options), "there is nothing to recover"));
  }
  REQUIRE(world.tell(tell_recovered, recovered(late, "sent_again", at + hours(3))));
  CHECK(world.verdict(late) == Verdict::kRecovered);
}

TEST_CASE("tell: what cannot be meant is refused, and says why") {
  World world;
  const std::string id = world.incident_of(kLost);
  const std::string now = time_of(world.clock.now());
  struct Case {
    std::string_view name;
    MakeEntry make;
    TellOptions options;
    std::string_view says;
  };
  const auto with = [](auto change) {
    TellOptions out;
    change(out);
    return out;
  };
  std::string typo = kLost;
  typo.back() = '9';
  std::string wrong_id = id;
  wrong_id.back() = wrong_id.back() == '0' ? '1' : '0';
  const auto recovered = [&](const char* message, const char* how, std::string when) {
    return with([&](TellOptions& o) {
      o.messages = {message};
      o.how = how;
      o.when = std::move(when);
    });
  };
  const auto incident = [&](std::vector<std::string> ids) {
    return with([&](TellOptions& o) { o.incidents = std::move(ids); });
  };
  const std::vector<Case> cases{
      {"unknown message", tell_recovered, recovered(typo.c_str(), "found", now), "did you mean '1"},
      {"nothing to recover", tell_recovered, recovered(kStored, "found", now), "it is 'stored'"},
      {"no such way", tell_recovered, recovered(kLost, "funnet", now), "--how"},
      {"in the future", tell_recovered,
       recovered(kLost, "found", time_of(world.clock.now() + seconds(1))), "lies in the future"},
      {"no time", tell_recovered, recovered(kLost, "found", ""), "--when"},
      {"no time at all", tell_recovered, recovered(kLost, "found", "i går"), "--when"},
      {"nobody", tell_mistaken, with([](TellOptions& o) {
         o.messages = {kLost};
         o.by = std::string(65, 'x');
       }),
       "a name is needed"},
      {"identity number in the name", tell_mistaken, with([](TellOptions& o) {
         o.messages = {kLost};
         o.by = "Kari 010203 45678";
       }),
       "identity number"},
      {"identity number in the note", tell_mistaken, with([](TellOptions& o) {
         o.messages = {kLost};
         o.note = "gjaldt 01020345678";
       }),
       "identity number"},
      {"a long note", tell_mistaken, with([](TellOptions& o) {
         o.messages = {kLost};
         o.note = std::string(kNoteBytesMax + 1, 'x');
       }),
       "note has at most"},
      {"a note of two lines", tell_mistaken, with([](TellOptions& o) {
         o.messages = {kLost};
         o.note = "ein\nto";
       }),
       "one line"},
      {"unknown incident", tell_close, incident({wrong_id}), "did you mean '"},
      {"no incident at all", tell_close, incident({"x"}), "has no incident 'x'"},
      {"one incident is not merged", tell_merge, incident({id, id}), "two or more"},
      {"not closed", tell_reopen, incident({id}), "was not closed by a person"},
      {"a message of another incident", tell_split, with([&](TellOptions& o) {
         o.incidents = {id};
         o.messages = {kLater};
       }),
       "is not part of incident"},
      {"all of them", tell_split, with([&](TellOptions& o) {
         o.incidents = {id};
         o.messages = {kLost};
       }),
       "nothing would be split"},
      {"aware before it happened", tell_aware, with([&](TellOptions& o) {
         o.incidents = {id};
         o.when = time_of(kStart);
       }),
       "the incident begins at"},
      {"aware in the future", tell_aware, with([&](TellOptions& o) {
         o.incidents = {id};
         o.when = time_of(world.clock.now() + days(1));
       }),
       "lies in the future"},
      {"notified before it happened", tell_notified, with([&](TellOptions& o) {
         o.incidents = {id};
         o.when = time_of(kStart);
       }),
       "the incident begins at"},
      {"notified in the future", tell_notified, with([&](TellOptions& o) {
         o.incidents = {id};
         o.when = time_of(world.clock.now() + days(1));
       }),
       "lies in the future"},
      {"a long reference", tell_notified, with([&](TellOptions& o) {
         o.incidents = {id};
         o.when = now;
         o.reference = std::string(65, 'x');
       }),
       "--reference"},
      {"identity number in the reference", tell_notified, with([&](TellOptions& o) {
         o.incidents = {id};
         o.when = now;
         o.reference = "sak 01020345678";
       }),
       "identity number"},
      {"a count of time to come", tell_count, with([&](TellOptions& o) {
         o.from = time_of(kStart);
         o.until = time_of(world.clock.now() + days(1));
         o.count = "3";
       }),
       "--until"},
      {"a count of nothing", tell_count, with([&](TellOptions& o) {
         o.from = now;
         o.until = now;
         o.count = "3";
       }),
       "later than --from"},
      {"no count", tell_count, with([&](TellOptions& o) {
         o.from = time_of(kStart);
         o.until = now;
         o.count = "-3";
       }),
       "--count"},
      {"no such form", tell_count, with([&](TellOptions& o) {
         o.from = time_of(kStart);
         o.until = now;
         o.count = "3";
         o.form = "ANNA";
       }),
       "--form"},
      {"nothing was told", tell_back, with([](TellOptions& o) { o.entry = "0"; }),
       "nothing was told yet"},
      {"no entry", tell_back, with([](TellOptions& o) { o.entry = "eitt"; }), "tell list"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const std::string said = world.refused(c.make, c.options);
    CAPTURE(said);
    CHECK(holds(said, c.says));
  }
  std::vector<Alarm> alarms;
  CHECK(world.store->told("t1", alarms).value().empty());
}

TEST_CASE("tell aware: a date means that day, also the one of the first loss; it is kept as said") {
  World world;  // the first loss: 29.01.2023 15:46 UTC
  for (const auto& [said, refused] : {std::pair{"2023-01-28", true},
                                      {"2023-01-29T10:00:00Z", true},
                                      {"2023-01-29", false},
                                      {"2023-01-30", false}}) {
    const std::string when = said;
    CAPTURE(when);
    TellOptions aware;
    aware.incidents = {world.incident_of(kLost)};
    aware.when = when;
    if (refused) {
      CHECK(holds(world.refused(tell_aware, aware), "the incident begins at"));
    } else {
      CHECK(world.tell(tell_aware, aware));
    }
  }
  const View seen = world.view();
  const Beside beside = beside_of(seen);
  for (const Incident& incident : seen.incidents) {
    if (incident.id != world.incident_of(kLost)) continue;
    CHECK(to_rfc3339(beside.of(incident).aware.value()) == "2023-01-28T23:00:00.000Z");
  }
}

TEST_CASE("tell: merge, split, close, reopen and aware are in the incidents") {
  World world;
  const std::string first = world.incident_of(kLost);
  const std::string second = world.incident_of(kLater);
  REQUIRE(first != second);
  TellOptions both;
  both.incidents = {first, second};
  REQUIRE(world.tell(tell_merge, both));
  CHECK(world.incident_of(kLost) == world.incident_of(kLater));
  TellOptions apart;
  apart.incidents = {world.incident_of(kNext)};
  apart.messages = {kNext};
  REQUIRE(world.tell(tell_split, apart));
  CHECK(world.incident_of(kNext) != world.incident_of(kLater));
  TellOptions one;
  one.incidents = {world.incident_of(kLost)};
  one.when = time_of(kStart + hours(22));
  REQUIRE(world.tell(tell_aware, one));
  const View seen = world.view();
  const Beside beside = beside_of(seen);
  for (const Incident& incident : seen.incidents) {
    if (incident.id != one.incidents.front()) continue;
    CHECK(incident.decided == std::vector<std::uint64_t>{0, 1, 2});
    CHECK(beside.of(incident).aware == kStart + hours(22));
    CHECK(beside.of(incident).clocks.front().kind == ClockKind::kNotify);
    CHECK(beside.of(incident).clocks.front().due == kStart + hours(22 + 72));
    CHECK(holds(incident.reason, "merged, says Kari Prøve, leiar at "));
    CHECK(holds(incident.reason, "known of since"));
  }
  REQUIRE(world.tell(tell_close, one));
  CHECK(open_incidents(world.view()) == 1);
  CHECK(holds(world.refused(tell_close, one), "is closed by a person already"));
  REQUIRE(world.tell(tell_reopen, one));
  CHECK(open_incidents(world.view()) == 2);
}

TEST_CASE(
    "tell: lines that are none of ours are answered, not believed; the clock is the writer's") {
  World world;
  const char* lines[] = {
      R"({"command":"tell"})",
      R"({"command":"tell","tenant":"Kommune t1"})",
      R"({"command":"tell","tenant":"Kommune t1","entry":{}})",
      R"({"command":"tell","tenant":"","entry":{}})",
      R"({"command":"tell","tenant":"Kommune t2","entry":{"version":1,"number":0,"told":0,)"
      R"("person":"K","note":"","kind":"mistaken","message":"m"}})",
      R"({"command":"tell","tenant":"Kommune t1","entry":{"version":2,"number":0,"told":0,)"
      R"("person":"K","note":"","kind":"mistaken","message":"m"}})",
      R"({"command":"tell","tenant":"Kommune t1","entry":{"version":1,"number":0,"told":0,)"
      R"("person":"K","note":"","kind":"taken_back","entry":0}})",
  };
  for (const char* line : lines) {
    CAPTURE(line);
    CHECK(world.call(line).value().rfind(R"({"ok":false,"code":)", 0) == 0);
  }
  Testimony entry;
  entry.told = kStart - days(300);
  entry.person = "Kari Prøve";
  entry.what = SenderMistaken{kLost};
  REQUIRE(call_tell(world.call, "Kommune t1", entry));
  std::vector<Alarm> alarms;
  const auto told = world.store->told("t1", alarms).value();
  REQUIRE(told.size() == 1);
  CHECK(std::get<Testimony>(told[0].entry).told == world.clock.now());
}

}  // namespace
}  // namespace meldevakt::collector
