// That an older database gets what its logs lack, with their own key and nothing else; salts, and
// numbers.
#include "collector/store/sqlite_log.h"
#include "tests/unit/collector/store/told_store.h"

namespace meldevakt::collector {
namespace {

using testing::admit;
using testing::control;
using testing::FakeAgent;
using testing::holds;
using testing::insert_of;
using testing::kStart;
using testing::mistaken;
using World = testing::ToldStore;

// As version 3 was: without log_idx, and no entries of registers and controls.
void back_to_version_3(World& world) {
  world.store.reset();
  world.run_sql(
      "DROP TABLE told; ALTER TABLE alarms DROP COLUMN closed;"
      "DROP INDEX receipts_of_entry; DROP INDEX registry_of_entry; DROP INDEX controls_of_entry;"
      "DROP INDEX log_kinds;"
      "ALTER TABLE registry DROP COLUMN salt; ALTER TABLE controls DROP COLUMN salt;"
      "ALTER TABLE registry DROP COLUMN log_idx; ALTER TABLE controls DROP COLUMN log_idx;"
      "INSERT INTO registry VALUES ('t1', 0, 'name', 'Aure', '', 0, 5, 1675000000000);"
      "INSERT INTO registry VALUES ('t1', 1, 'name', 'Bø', '', 0, 5, 1675000000009);"
      "INSERT INTO registry VALUES ('t1', 2, 'name', 'Re', '', 0, 5, 1675000000009);" +
      insert_of(control(0, {7})) + insert_of(control(1, {8})) + "PRAGMA user_version = 3");
}

TEST_CASE("a database of version 3 is brought up to date: what its log did not tell of, it tells") {
  World world;
  FakeAgent agent{'a', "t1"};
  REQUIRE(admit(*world.store, agent));
  REQUIRE(world->add_alarm({"t1", agent.id(), "ahead", "x", kStart}));
  back_to_version_3(world);
  CHECK_FALSE(SqliteStore::open({"collector.db", "told-test", true}));
  world.reopen();
  const std::vector<std::string> entries = world.entries("t1");
  REQUIRE(entries.size() == 6);  // enrolment, alarm, register twice, two controls
  CHECK(holds(entries[2], R"("kind":"registry","time":1675000000000,"first":0,"added":1)"));
  CHECK(holds(entries[3], R"("kind":"registry","time":1675000000009,"first":1,"added":2)"));
  CHECK(holds(entries[4], R"("kind":"control","time":7,"number":0)"));
  CHECK(holds(entries[5], R"("kind":"control","time":8,"number":1)"));
  const Status whole = world->check_store(world.verifier);
  CHECK_MESSAGE(whole, (whole ? "" : whole.error().message()));
  CHECK(world->alarms("t1").value().size() == 1);
  CHECK(world->add_told("t1", mistaken("m"), kStart).value() == 0);
  CHECK(world->registry_entries("t1").value().size() == 3);
  world.reopen();
  CHECK(world.entries("t1").size() == 7);  // once only
  CHECK(world->check_store(world.verifier));
}

TEST_CASE("a database is not brought up to date with another key than its logs' own") {
  World world;
  FakeAgent agent{'a', "t1"};
  REQUIRE(admit(*world.store, agent));
  const std::string note = world->log_checkpoint("t1").value();
  back_to_version_3(world);
  const auto made_anew = World::key('M');
  for (int again = 0; again < 2; ++again) {
    const auto refused =
        SqliteStore::open({"collector.db", "told-test", false, made_anew, testing::random_bytes()});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == Errc::kInvalid);
    CHECK(holds(refused.error().message(), "kollektor.example/t1 was signed with another key"));
    CHECK(holds(refused.error().message(), "from your backup"));
  }
  // Nothing of it was changed: with the right key it is as it was, and goes on from there.
  world.reopen();
  CHECK(world.entries("t1").size() == 5);
  CHECK(world->log_checkpoint("t1").value() != note);
  CHECK(world->check_store(world.verifier));
}

TEST_CASE("a checkpoint that cannot be read is no reason to sign another") {
  World world;
  REQUIRE(world->add_tenant({"t1", "Aure", "", kStart}));
  world.store.reset();
  world.run_sql("UPDATE logs SET note = 'x' || note");
  const auto log_key = World::key();
  CHECK_FALSE(SqliteStore::open({"collector.db", "told-test", false, log_key}));
  world.run_sql("UPDATE logs SET note = 'nonsense'");
  const auto refused = SqliteStore::open({"collector.db", "told-test", false, log_key});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::kCorrupt);
}

TEST_CASE("what slips in without an entry is not made one when the store is opened again") {
  World world;
  REQUIRE(world->add_tenant({"t1", "Aure", "", kStart}));
  world.store.reset();
  world.run_sql(
      "INSERT INTO registry VALUES ('t1', 0, 'name', 'Bø', '', 0, 5, 1675000000000, NULL, NULL)");
  world.reopen();
  CHECK(world.entries("t1").empty());
  CHECK_FALSE(world->check_store(world.verifier));
}

// The hash of what was told, as somebody could make it who guesses who told what of which message.
TEST_CASE("salts: nobody who has the log can try out what was told, and equal words differ") {
  World world;
  REQUIRE(world->add_tenant({"t1", "Aure", "", kStart}));
  const RegistryEntry entry{EntryKind::kContact, "dpo", "Kari Prøve", kAlways};
  REQUIRE(world->add_told("t1", mistaken("m1"), kStart));
  REQUIRE(world->add_registry_entries("t1", {entry}, kStart));
  REQUIRE(world->add_control("t1", control(0, kStart)));
  std::vector<Alarm> alarms;
  const std::string told = encode_entry(world->told("t1", alarms).value()[0].entry);
  const std::string row =
      R"({"entry":0,"kind":"contact","value":"dpo","label":"Kari Prøve","from":0,)"
      R"("until":253402300799999})";
  for (const std::string& logged : world.entries("t1")) {
    for (const std::string& guess :
         {told, row + "\n", sha256(row).hex() + "\n", control(0, kStart).envelope}) {
      CHECK_FALSE(holds(logged, sha256(guess).hex()));
    }
  }
  REQUIRE(world->add_tenant({"t2", "Bø", "", kStart}));
  REQUIRE(world->add_told("t2", mistaken("m1"), kStart));
  CHECK(world.entries("t2")[0] != world.entries("t1")[0]);
  CHECK(world->check_store(world.verifier));
}

// What version 4 wrote: no salts, and the hash of the bytes alone.
void add_unsalted(World& world, const LogKey& key) {
  world.store.reset();
  const auto db =
      sql::Connection::open("collector.db", "told-test", sql::Connection::Mode::kWriter).value();
  const auto entry = [&](const std::string& kind, const std::string& count,
                         std::string_view bytes) {
    const std::string json = R"({"version":1,"kind":")" + kind + R"(","time":1675000000000,)" +
                             count + R"(,"sha256":")" + sha256(bytes).hex() + "\"}";
    REQUIRE(append_log(*db, "t1", &key, {kind, {}, "", json}, kStart));
  };
  Testimony told = mistaken("m1");
  told.number = 0;
  const std::string bytes = encode_entry(LedgerEntry{told});
  REQUIRE(db->run("INSERT INTO told VALUES ('t1', 0, ?, ?, ?, 0, NULL)",
                  {sql::value(kStart), told.person, sql::Blob{bytes}}));
  entry("told", R"("number":0)", bytes);
  REQUIRE(db->run("INSERT INTO registry VALUES ('t1', 0, 'name', 'Aure', '', 0, 5, ?, 1, NULL)",
                  {sql::value(kStart)}));
  entry("registry", R"("added":1)",
        R"({"entry":0,"kind":"name","value":"Aure","label":"","from":0,"until":5})"
        "\n");
  const StoredControl first = control(0, kStart);
  REQUIRE(db->run("INSERT INTO controls VALUES ('t1', 0, ?, ?, ?, 2, NULL)",
                  {sql::value(first.link), sql::value(kStart), sql::Blob{first.envelope}}));
  entry("control", R"("number":0)", first.envelope);
}

TEST_CASE("salts: entries from before there were any are still held against their rows") {
  for (const char* damage :
       {"", "UPDATE told SET salt = zeroblob(16)", "UPDATE registry SET salt = zeroblob(16)",
        "UPDATE controls SET salt = zeroblob(16)", "UPDATE registry SET value = 'Bø'",
        "UPDATE told SET entry = x'7b7d' WHERE number = 0", "DELETE FROM controls"}) {
    CAPTURE(std::string{damage});
    World world;
    REQUIRE(world->add_tenant({"t1", "Aure", "", kStart}));
    add_unsalted(world, *world.key());
    world.reopen();
    const Status whole = world->check_store(world.verifier);
    REQUIRE_MESSAGE(whole, (whole ? "" : whole.error().message()));
    // What comes now is numbered on and salted.
    CHECK(world->add_told("t1", mistaken("m2"), kStart).value() == 1);
    REQUIRE(world->add_registry_entries("t1", {{EntryKind::kName, "Re", "", kAlways}}, kStart));
    CHECK(holds(world.last_entry("t1"), R"("version":2,"kind":"registry","time":1675000000000,)"
                                        R"("first":1,"added":1)"));
    REQUIRE(world->add_control("t1", control(1, kStart)));
    CHECK(world->check_store(world.verifier));
    if (*damage == '\0') continue;
    CHECK(world.run_sql(damage) > 0);
    CHECK_FALSE(world->check_store(world.verifier));
  }
}

TEST_CASE("numbers: none is used twice, though the newest row is gone") {
  World world;
  REQUIRE(world->add_tenant({"t1", "Aure", "", kStart}));
  const RegistryEntry first{EntryKind::kName, "Aure", "", kAlways};
  const RegistryEntry second{EntryKind::kName, "Bø", "", kAlways};
  for (const char* message : {"m1", "m2"})
    REQUIRE(world->add_told("t1", mistaken(message), kStart));
  REQUIRE(world->add_registry_entries("t1", {first, second}, kStart));
  REQUIRE(world->add_control("t1", control(0, kStart)));
  CHECK(world.run_sql("DELETE FROM told WHERE number = 1") == 1);
  CHECK(world->add_told("t1", mistaken("m3"), kStart).value() == 2);
  CHECK(world.run_sql("DELETE FROM told WHERE number = 0") == 1);
  CHECK(world->add_told("t1", mistaken("m4"), kStart).value() == 3);
  CHECK(world.run_sql("DELETE FROM registry WHERE entry = 1") == 1);
  REQUIRE(world->add_registry_entries("t1", {{EntryKind::kName, "Re", "", kAlways}}, kStart));
  CHECK(holds(world.last_entry("t1"), R"("first":2,"added":1)"));
  CHECK(world.run_sql("DELETE FROM controls") == 1);
  CHECK(world->add_control("t1", control(0, kStart)).error().code() == Errc::kExists);
  CHECK(world->add_control("t1", control(2, kStart)).error().code() == Errc::kInvalid);
  CHECK(world->add_control("t1", control(1, kStart)));
}

TEST_CASE("a store without a source of random bytes takes nothing that needs a salt") {
  World world;
  REQUIRE(world->add_tenant({"t1", "Aure", "", kStart}));
  world.store.reset();
  const auto store = SqliteStore::open({"collector.db", "told-test", false}).value();
  CHECK(store->add_told("t1", mistaken("m1"), kStart).error().code() == Errc::kInvalid);
  CHECK(store->add_control("t1", control(0, kStart)).error().code() == Errc::kInvalid);
}

}  // namespace
}  // namespace meldevakt::collector
