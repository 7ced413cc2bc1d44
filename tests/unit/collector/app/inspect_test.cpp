// What reports say of tenants of which people told things, of the same fault in several tenants,
// and of agents that are silent.
#include "collector/app/inspect.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>

#include "collector/app/silence.h"
#include "tests/unit/collector/app/told_world.h"

namespace meldevakt::collector {
namespace {

using testing::holds;
using testing::kLater;
using testing::kLost;
using testing::kStart;
using testing::lost;
using testing::time_of;
using World = testing::ToldWorld;

TEST_CASE("a count that is short is an open question; one that agrees is none") {
  World world;
  TellOptions count;
  count.from = time_of(kStart);
  count.until = time_of(kStart + hours(23));
  count.count = "1";
  REQUIRE(world.tell(tell_count, count));
  count.count = "7";
  REQUIRE(world.tell(tell_count, count));
  const View seen = world.view();
  REQUIRE(seen.counts.size() == 2);
  CHECK(seen.counts[0].state == Reconciliation::State::kAgrees);
  CHECK(seen.counts[1].state == Reconciliation::State::kOver);
  const auto said = run_control(world.config, *world.zone, world.options(false)).value();
  CHECK(holds(said.text, "COUNT Kommune t1"));
  CHECK(holds(said.text, "7 stored, 1 expected (over, entry 1)"));
}

TEST_CASE("the same fault in a second municipality is systemic at once, and says whom to look at") {
  World world;
  testing::FakeAgent second{'b', "t2"};
  testing::FakeAgent third{'c', "t3"};
  REQUIRE(testing::admit(*world.store, second));
  REQUIRE(testing::admit(*world.store, third));
  for (const char* tenant : {"t1", "t2", "t3"}) {
    REQUIRE(world.store->add_registry_entries(
        tenant, {{EntryKind::kProduct, "Fagsystem 4.1", "", kAlways}}, kStart));
  }
  CHECK_FALSE(holds(list_incidents(world.config, *world.zone, world.options(false)).value().text,
                    "SYSTEMIC"));
  world.tell_frame(second, {lost(kLost, kStart + hours(5))});
  const auto listed = list_incidents(world.config, *world.zone, world.options(false)).value();
  CHECK(holds(listed.text, "SYSTEMIC"));
  CHECK(holds(listed.text, "seen at: Kommune t1, Kommune t2\n"));
  CHECK(holds(listed.text,
              "look next at Kommune t3: the same version, not corrected, not everything was read, "
              "not answered"));
  const auto fleet = report_fleet(world.config, *world.zone, world.options(true)).value();
  CHECK(holds(fleet.text, R"({"systemic":{"id":")"));
  CHECK(holds(fleet.text, R"("sample_next":["t3"])"));
  CHECK(fleet.text.rfind("{\"fleet\":") > fleet.text.rfind("{\"systemic\":"));
  CHECK(holds(run_control(world.config, *world.zone, world.options(true)).value().text,
              R"("systemic":[{"id")"));
  // Who asks about one tenant is told of no other.
  InspectOptions alone = world.options(false);
  alone.tenant = "Kommune t1";
  CHECK_FALSE(holds(list_incidents(world.config, *world.zone, alone).value().text, "SYSTEMIC"));
}

void check_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string{MELDEVAKT_TESTS_DIR} + "/golden/collector/" + name;
  if (const char* const approve = std::getenv("MELDEVAKT_APPROVE");
      approve != nullptr && std::string_view{approve} == "1") {
    std::ofstream{path, std::ios::binary} << text;
    MESSAGE("approved " << path);
  }
  std::ifstream file{path, std::ios::binary};
  const std::string have{std::istreambuf_iterator<char>{file}, {}};
  CAPTURE(path);
  CHECK(have == text);
}

TEST_CASE("golden: what is said of a tenant in which people told things, as text and JSON") {
  World world;
  TellOptions recovered;
  recovered.messages = {kLost};
  recovered.how = "sent_again";
  recovered.when = time_of(kStart + hours(20));
  REQUIRE(world.tell(tell_recovered, recovered));
  TellOptions aware;
  aware.incidents = {world.incident_of(kLater)};
  aware.when = time_of(kStart + hours(12));
  aware.note = "avvik meldt internt";
  REQUIRE(world.tell(tell_aware, aware));
  for (const bool json : {false, true}) {
    const std::string end = json ? ".json" : ".txt";
    const InspectOptions options = world.options(json);
    check_golden("messages" + end, list_messages(world.config, *world.zone, options).value().text);
    check_golden("incidents" + end,
                 list_incidents(world.config, *world.zone, options).value().text);
    check_golden("fleet" + end, report_fleet(world.config, *world.zone, options).value().text);
    check_golden("control" + end, run_control(world.config, *world.zone, options).value().text);
    check_golden("told" + end, list_told(world.config, *world.zone, options).value().text);
  }
}

// Looks once a minute, as the server does; returns what was silent.
std::vector<Alarm> look_until(SilenceWatch& watch, Instant from, Instant until) {
  std::vector<Alarm> out;
  for (Instant at = from; at <= until; at = at + minutes(1)) {
    const SilenceWatch::Looked looked = watch.look(at);
    CHECK(looked.done);
    out.insert(out.end(), looked.silent.begin(), looked.silent.end());
  }
  return out;
}

TEST_CASE("silence: an alarm once a silence, not for the time nobody listened, over on return") {
  World world;
  const Instant heard = world.clock.now();
  SilenceWatch watch{*world.store, minutes(10), {heard, heard}};
  CHECK(look_until(watch, heard, heard + minutes(10)).empty());
  const auto first = look_until(watch, heard + minutes(11), heard + minutes(12));
  REQUIRE(first.size() == 1);
  CHECK(holds(first[0].detail, "it has told nothing since 2023-01-30T13:46:40.000Z"));
  CHECK(world.store->alarms("t1").value().size() == 1);
  CHECK(world.view().alarms.size() == 1);
  // The next server listens from now on, and does not raise it twice.
  SilenceWatch again{*world.store, minutes(10), {heard + hours(5), heard + hours(5)}};
  CHECK(look_until(again, heard + hours(5), heard + hours(5) + minutes(10)).empty());
  (void)look_until(again, heard + hours(5) + minutes(11), heard + hours(6));
  CHECK(world.store->alarms("t1").value().size() == 1);
  world.clock.advance(hours(7));
  world.tell_frame(world.agent, {});
  CHECK(world.view().alarms.empty());
  CHECK(world.store->alarms("t1").value().front().closed == heard + hours(7));
  const Instant back = heard + hours(7);
  REQUIRE(look_until(again, back, back + minutes(11)).size() == 1);
  CHECK(world.store->alarms("t1").value().size() == 2);
  CHECK(world.store->check_store(OpenSslVerifier{}));
}

TEST_CASE("silence: a machine that slept, or whose clock was set, heard nobody meanwhile") {
  for (const Duration step : {minutes(30), days(365), days(-2)}) {
    World world;
    const Instant heard = world.clock.now();
    SilenceWatch watch{*world.store, minutes(10), {heard, heard}};
    CHECK(look_until(watch, heard, heard + minutes(5)).empty());
    const Instant after = heard + minutes(5) + step;
    CHECK(look_until(watch, after, after + minutes(10)).empty());
    CHECK(look_until(watch, after + minutes(11), after + minutes(11)).size() == 1);
  }
}

TEST_CASE("silence: a short restart goes on listening, a long one begins anew") {
  World world;
  const Instant heard = world.clock.now();
  const std::string path = world.folder / "listened.json";
  SilenceWatch watch{*world.store, hours(2), {heard, heard}};
  CHECK(look_until(watch, heard, heard + hours(1)).empty());
  REQUIRE(watch.note(path));
  const Instant looked = heard + hours(1);
  CHECK(listening_since(path, looked + kSilenceLookMax).since == heard);
  // The next process says it when this one would have.
  SilenceWatch next{*world.store, hours(2), listening_since(path, looked + minutes(2))};
  CHECK(look_until(next, looked + minutes(2), heard + hours(2)).empty());
  CHECK(look_until(next, heard + hours(2) + minutes(1), heard + hours(2) + minutes(1)).size() == 1);
  const Instant late = looked + kSilenceLookMax + milliseconds(1);
  CHECK(listening_since(path, late).since == late);
  CHECK(listening_since(path, looked - seconds(1)).since == looked - seconds(1));  // set back
  CHECK(listening_since(world.folder / "none.json", looked).since == looked);
  for (const char* damaged :
       {R"({"listening":-9223372036854775808,"looked":-9223372036854775808})",
        R"({"listening":-1,"looked":1})", R"({"listening":9223372036854775807,"looked":0})",
        R"({"listening":1})", "[]", "", R"({"listening":"1","looked":2})"}) {
    CAPTURE(damaged);
    world.folder.write("damaged.json", damaged);
    CHECK(listening_since(world.folder / "damaged.json", looked).since == looked);
  }
  for (const char* damaged :
       {"", "[]", "{\"listening\":1}", "{\"listening\":\"x\",\"looked\":1}"}) {
    world.folder.write("listened.json", damaged);
    CHECK(listening_since(path, looked).since == looked);
  }
}

TEST_CASE("silence: of an agent that is not used any more nothing is expected") {
  World world;
  const Instant heard = world.clock.now();
  SilenceWatch watch{*world.store, minutes(10), {heard, heard}};
  REQUIRE(look_until(watch, heard, heard + minutes(11)).size() == 1);
  const Instant now = heard + minutes(12);
  REQUIRE(world.store->add_registry_entries(
      "t1", {{EntryKind::kUnused, world.agent.id(), "", {now, kAlways.to}}}, now));
  CHECK(watch.look(now).silent.empty());
  CHECK(world.store->alarms("t1").value().front().closed == now);
  CHECK(look_until(watch, now, now + hours(1)).empty());
  CHECK(world.store->alarms("t1").value().size() == 1);
  // The register was wrong: the same silence is found again, also by the next process.
  REQUIRE(world.store->add_registry_entries(
      "t1", {{EntryKind::kUnused, world.agent.id(), "", {now, now}}}, now));
  const Instant later = now + hours(1) + minutes(1);
  REQUIRE(watch.look(later).silent.size() == 1);
  CHECK(watch.look(later).silent.empty());
  CHECK(look_until(
            *std::make_unique<SilenceWatch>(*world.store, minutes(10), Listening{heard, later}),
            later, later + minutes(5))
            .empty());  // by no process twice
  CHECK(world.view().alarms.size() == 1);
}

}  // namespace
}  // namespace meldevakt::collector
