// A store with a log, for tests of what people tell, the register and controls; and rows of each.
// Thread-safety: none.
#pragma once

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <memory>
#include <string>
#include <vector>

#include "collector/store/sqlite_store.h"
#include "common/testing/fault_vfs.h"
#include "tests/unit/collector/fake_agent.h"

namespace meldevakt::collector::testing {

inline Testimony mistaken(const std::string& message) {
  Testimony out;
  out.number = 77;  // the store gives its own
  out.told = kStart;
  out.person = "Kari Prøve, leiar";
  out.note = "ringde";
  out.what = SenderMistaken{message};
  return out;
}

inline IncidentDecision close(std::vector<std::string> messages) {
  IncidentDecision out;
  out.told = kStart;
  out.person = "Ola Prøve";
  out.kind = DecisionKind::kClose;
  out.messages = std::move(messages);
  return out;
}

// A sealed record, as the store keeps it: its bytes are not looked into.
inline StoredControl control(std::uint64_t number, Instant ran) {
  const std::string payload = "record " + std::to_string(number);
  const auto signer = signer_from_seed(std::string(32, 'C')).value();
  return {number, link_hash("control", payload), ran, seal("control", payload, *signer).value()};
}

inline std::string hex_of(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4U];
    out += "0123456789abcdef"[static_cast<unsigned char>(c) & 15U];
  }
  return out;
}

inline std::string insert_of(const StoredControl& control) {
  return "INSERT INTO controls VALUES ('t1', " + std::to_string(control.number) + ", x'" +
         control.link.hex() + "', " + std::to_string(control.ran.ms) + ", x'" +
         hex_of(control.envelope) + "');";
}

struct ToldStore {
  ToldStore() { reopen(); }
  SqliteStore* operator->() { return store.get(); }
  [[nodiscard]] static std::shared_ptr<const LogKey> key(char seed = 'L') {
    auto key = std::make_shared<LogKey>();
    key->origin = "kollektor.example";
    key->signer = signer_from_seed(std::string(32, seed)).value();
    key->public_key = key->signer->public_key();
    return key;
  }
  void reopen() {
    store.reset();
    store = SqliteStore::open({"collector.db", "told-test", false, key(), testing::random_bytes()})
                .value();
  }
  int run_sql(const std::string& sql) {
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open_v2("collector.db", &database, SQLITE_OPEN_READWRITE, "told-test") ==
            SQLITE_OK);
    CHECK(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    const int changed = sqlite3_changes(database);
    sqlite3_close(database);
    return changed;
  }
  [[nodiscard]] std::vector<std::string> entries(const std::string& tenant) {
    std::vector<std::string> out;
    for (std::uint64_t size = 1;; ++size) {
      const TilePath path{{0, 0, static_cast<std::uint32_t>(size)}, true};
      const auto bundle = store->log_tile(tenant, path);
      if (!bundle) return out;
      out = decode_bundle(bundle.value()).value();
    }
  }
  [[nodiscard]] std::string last_entry(const std::string& tenant) {
    const auto all = entries(tenant);
    return all.empty() ? "" : all.back();
  }

  meldevakt::testing::FaultVfs disk{"told-test"};
  std::unique_ptr<SqliteStore> store;
  OpenSslVerifier verifier;
};

inline bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace meldevakt::collector::testing
