// What people tell, as the store keeps it; that registers, controls and silences are entries of the
// log too; and that tampering with any of it is found.
#include "tests/unit/collector/store/told_store.h"

namespace meldevakt::collector {
namespace {

using testing::admit;
using testing::close;
using testing::control;
using testing::FakeAgent;
using testing::holds;
using testing::kStart;
using testing::mistaken;
using World = testing::ToldStore;

TEST_CASE("told: numbered by the store, kept a tenant, never in the log by name") {
  World world;
  REQUIRE(world->add_tenant({"t1", "Aure", "", kStart}));
  REQUIRE(world->add_tenant({"t2", "Bø", "", kStart}));
  CHECK(world->add_told("t1", mistaken("m1"), kStart + seconds(1)).value() == 0);
  CHECK(world->add_told("t1", close({"m1", "m2"}), kStart + seconds(2)).value() == 1);
  CHECK(world->add_told("t2", mistaken("m9"), kStart).value() == 0);
  CHECK_FALSE(world->add_told("t9", mistaken("m1"), kStart));
  std::vector<Alarm> alarms;
  const auto told = world->told("t1", alarms).value();
  CHECK(alarms.empty());
  REQUIRE(told.size() == 2);
  Testimony first = mistaken("m1");
  first.number = 0;
  CHECK(told[0].entry == LedgerEntry{first});
  CHECK(told[0].recorded == kStart + seconds(1));
  CHECK(number_of(told[1].entry) == 1);
  const std::vector<std::string> entries = world.entries("t1");
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].find(
            R"({"version":2,"kind":"told","time":1675000001000,"number":0,"sha256":")") == 0);
  for (const std::string& entry : entries) CHECK_FALSE(holds(entry, "Prøve"));
  CHECK(world->check_store(world.verifier));
}

TEST_CASE("told: one that cannot be read costs itself, and is an alarm") {
  World world;
  REQUIRE(world->add_tenant({"t1", "Aure", "", kStart}));
  for (const char* message : {"a", "b", "c"}) {
    REQUIRE(world->add_told("t1", mistaken(message), kStart));
  }
  world.store.reset();
  CHECK(world.run_sql("UPDATE told SET entry = x'7b7d' WHERE number = 1") == 1);
  world.reopen();
  std::vector<Alarm> alarms;
  CHECK(world->told("t1", alarms).value().size() == 2);
  REQUIRE(alarms.size() == 1);
  CHECK(alarms[0].kind == "undecodable_entry");
  CHECK(holds(alarms[0].detail, "number 1"));
}

TEST_CASE("log: registers and controls are entries of it") {
  World world;
  REQUIRE(world->add_tenant({"t1", "Aure", "", kStart}));
  const RegistryEntry entry{EntryKind::kContact, "dpo", "Kari Prøve", kAlways};
  const RegistryEntry head{EntryKind::kContact, "head", "Ola Prøve", kAlways};
  REQUIRE(world->add_registry_entries("t1", {entry, head}, kStart));
  CHECK(holds(world.last_entry("t1"),
              R"("kind":"registry","time":1675000000000,"first":0,"added":2)"));
  CHECK_FALSE(holds(world.last_entry("t1"), "Kari"));
  REQUIRE(world->add_registry_entries("t1", {}, kStart));       // nothing is no entry,
  REQUIRE(world->add_registry_entries("t1", {entry}, kStart));  // nor what is so already
  CHECK(world.entries("t1").size() == 1);
  REQUIRE(world->add_control("t1", control(0, kStart + days(1))));
  CHECK(world.last_entry("t1").find(
            R"({"version":2,"kind":"control","time":1675086400000,"number":0,"sha256":")") == 0);
  CHECK(world->check_store(world.verifier));
}

TEST_CASE("silence: one alarm a silence, over with the agent's next statement") {
  World world;
  FakeAgent agent{'a', "t1"};
  FakeAgent other{'b', "t1"};
  REQUIRE(admit(*world.store, agent));
  REQUIRE(admit(*world.store, other));
  REQUIRE(world->store_frame(agent.next("one"), kStart));
  const std::size_t before = world.entries("t1").size();
  for (const FakeAgent* one : {&agent, &other, &agent}) {
    REQUIRE(world->add_alarm({"t1", one->id(), "silent", "since then", kStart + hours(1)}));
  }
  CHECK(world->alarms("t1").value().size() == 2);
  CHECK(world.entries("t1").size() == before + 2);
  const VerifiedFrame next = agent.next("two");
  REQUIRE(world->store_frame(next, kStart + hours(2)));
  CHECK(world.last_entry("t1") ==
        R"({"version":1,"kind":"alarm_closed","time":1675007200000,"agent":")" + agent.id() +
            R"(","alarm":"silent","detail":"since then"})");
  const std::vector<Alarm> kept = world->alarms("t1").value();
  for (const Alarm& alarm : kept) {
    CHECK(alarm.closed.has_value() == (alarm.agent == agent.id()));
  }
  const std::size_t after = world.entries("t1").size();
  REQUIRE(world->store_frame(next, kStart + hours(3)));  // a duplicate tells nothing new
  REQUIRE(world->store_frame(agent.next("three"), kStart + hours(3)));
  CHECK(world.entries("t1").size() == after + 1);
  CHECK(world->check_store(world.verifier));
}

TEST_CASE("audit finds every kind of tampering with what people told, registers and controls") {
  const char* damages[] = {
      "UPDATE told SET entry = CAST(replace(CAST(entry AS TEXT), 'm1', 'm2') AS BLOB)",
      "UPDATE told SET person = 'Nokon Annan' WHERE number = 0",
      "UPDATE told SET recorded = recorded + 1 WHERE number = 0",
      "UPDATE told SET number = 5 WHERE number = 1",
      "UPDATE told SET log_idx = 0 WHERE number = 1",
      "DELETE FROM told WHERE number = 1",
      "INSERT INTO told SELECT tenant, 2, recorded, person, entry, 99, salt FROM told"
      " WHERE number = 0",
      "UPDATE registry SET label = 'Nokon Annan'",
      "UPDATE registry SET until_ms = until_ms - 1 WHERE entry = 1",
      "DELETE FROM registry WHERE entry = 0",
      "UPDATE registry SET log_idx = NULL",
      "INSERT INTO registry SELECT tenant, 9, kind, value, label, from_ms, until_ms, recorded,"
      " NULL, salt FROM registry WHERE entry = 0",
      "UPDATE controls SET envelope = CAST('other' AS BLOB)",
      "UPDATE controls SET number = 3",
      "UPDATE controls SET ran = ran + 1",
      "DELETE FROM controls",
      "UPDATE alarms SET closed = NULL WHERE closed IS NOT NULL",
      "UPDATE alarms SET closed = 1 WHERE kind = 'ahead'",
      "UPDATE log_entries SET kind = 'alarm' WHERE kind = 'told'",
  };
  for (const char* damage : damages) {
    CAPTURE(damage);
    World world;
    FakeAgent agent{'a', "t1"};
    REQUIRE(admit(*world.store, agent));
    REQUIRE(world->add_told("t1", mistaken("m1"), kStart));
    REQUIRE(world->add_told("t1", close({"m1"}), kStart));
    const RegistryEntry entry{EntryKind::kContact, "dpo", "Kari", kAlways};
    REQUIRE(
        world->add_registry_entries("t1", {entry, {EntryKind::kName, "A", "", kAlways}}, kStart));
    REQUIRE(world->add_control("t1", control(0, kStart)));
    REQUIRE(world->add_alarm({"t1", agent.id(), "ahead", "x", kStart}));
    REQUIRE(world->add_alarm({"t1", agent.id(), "silent", "x", kStart}));
    REQUIRE(world->store_frame(agent.next("one"), kStart));
    const Status whole = world->check_store(world.verifier);
    REQUIRE_MESSAGE(whole, (whole ? "" : whole.error().message()));
    CHECK(world.run_sql(damage) > 0);
    const Status checked = world->check_store(world.verifier);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code() != Errc::kIo);
  }
}

}  // namespace
}  // namespace meldevakt::collector
