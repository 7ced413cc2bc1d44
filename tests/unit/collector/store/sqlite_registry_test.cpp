// The register and the controls that a store keeps; and that an older database is brought up to
// date.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <memory>
#include <vector>

#include "collector/store/sqlite_store.h"
#include "common/testing/fault_vfs.h"
#include "tests/unit/collector/fake_agent.h"

namespace meldevakt::collector {
namespace {

using testing::kStart;

struct World {
  SqliteStore* operator->() { return store.get(); }
  meldevakt::testing::FaultVfs disk{"store-test"};
  std::unique_ptr<SqliteStore> store =
      SqliteStore::open({"collector.db", "store-test", false, nullptr, testing::random_bytes()})
          .value();
};

TEST_CASE("a tenant's register is only added to, in order, within its bound") {
  World world;
  REQUIRE(world->add_tenant({"t1", "Aure", "", kStart}));
  REQUIRE(world->add_tenant({"t2", "Bø", "", kStart}));
  const RegistryEntry first{EntryKind::kMunicipality, "1576", "", kAlways};
  const RegistryEntry second{EntryKind::kContact, "dpo", "Kari", {kStart, kStart + days(1)}};
  CHECK(world->add_registry_entries("t1", {first}, kStart));
  CHECK(world->add_registry_entries("t1", {second, first}, kStart));
  CHECK(world->registry_entries("t1").value() == std::vector<RegistryEntry>{first, second});
  CHECK(world->registry_entries("t2").value().empty());
  std::vector<RegistryEntry> many;
  for (std::size_t i = 0; i < kEntriesMax - 1; ++i) {
    many.push_back({EntryKind::kMunicipality, std::to_string(10'000 + i), "", kAlways});
  }
  CHECK(world->add_registry_entries("t1", many, kStart).error().code() == Errc::kLimit);
  CHECK(world->registry_entries("t1").value().size() == 2);
  many.pop_back();
  CHECK(world->add_registry_entries("t1", many, kStart));
  CHECK_FALSE(world->add_registry_entries("t9", {first}, kStart));  // no such tenant
}

TEST_CASE("controls: numbered, never overwritten, newest first") {
  World world;
  REQUIRE(world->add_tenant({"t1", "Aure", "", kStart}));
  CHECK(world->controls("t1", 10).value().empty());
  for (std::uint64_t number = 0; number < 3; ++number) {
    CHECK(world->add_control("t1", {number, sha256("x"), kStart + days(1), "envelope"}));
  }
  CHECK(world->add_control("t1", {1, sha256("y"), kStart, "other"}).error().code() ==
        Errc::kExists);
  const auto newest = world->controls("t1", 2).value();
  REQUIRE(newest.size() == 2);
  CHECK(newest[0].number == 2);
  CHECK(newest[1].number == 1);
  CHECK(newest[1].link == sha256("x"));
  CHECK(newest[1].ran == kStart + days(1));
  CHECK(newest[1].envelope == "envelope");
}

TEST_CASE("a database of version 2 is brought up to date, and keeps what it holds") {
  World world;
  REQUIRE(world->add_tenant({"t1", "Aure", "", kStart}));
  world.store.reset();
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open_v2("collector.db", &database, SQLITE_OPEN_READWRITE, "store-test") ==
          SQLITE_OK);
  REQUIRE(sqlite3_exec(database,
                       "DROP TABLE told; ALTER TABLE alarms DROP COLUMN closed;"
                       "DROP INDEX receipts_of_entry; DROP INDEX log_kinds;"
                       "DROP TABLE registry; DROP TABLE controls; PRAGMA user_version = 2",
                       nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(database);
  CHECK_FALSE(SqliteStore::open({"collector.db", "store-test", true}));
  world.store =
      SqliteStore::open({"collector.db", "store-test", false, nullptr, testing::random_bytes()})
          .value();
  CHECK(world->tenants().value().size() == 1);
  CHECK(world->add_registry_entries("t1", {{EntryKind::kName, "Aure", "", kAlways}}, kStart));
}

}  // namespace
}  // namespace meldevakt::collector
