// A store on a disk in memory, and a portal's row. Thread-safety: none.
#pragma once

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <memory>
#include <optional>
#include <string>

#include "collector/store/sqlite_store.h"
#include "common/crypto/crypto.h"
#include "common/testing/fault_vfs.h"
#include "tests/unit/collector/fake_agent.h"

namespace meldevakt::collector::testing {

struct StoreWorld {
  StoreWorld() { REQUIRE(store); }
  SqliteStore& operator*() { return *store; }
  SqliteStore* operator->() { return store.get(); }
  // Changes stored bytes behind the store's back.
  void tamper(const char* sql) {
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open_v2("collector.db", &database, SQLITE_OPEN_READWRITE, "store-test") ==
            SQLITE_OK);
    REQUIRE(sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
    CHECK(sqlite3_changes(database) > 0);
    sqlite3_close(database);
  }

  meldevakt::testing::FaultVfs disk{"store-test"};
  std::unique_ptr<SqliteStore> store =
      SqliteStore::open({"collector.db", "store-test", false}).value();
  OpenSslVerifier verifier;
};

inline Receipt receipt(std::string id, std::optional<Instant> confirmed) {
  Receipt row;
  row.portal = "npb";
  row.message_id = std::move(id);
  row.sent = kStart;
  row.confirmed = confirmed;
  row.channel = "case_system";
  return row;
}

}  // namespace meldevakt::collector::testing
