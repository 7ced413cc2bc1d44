// Every table, every column, every row: whatever is changed, removed or slipped in behind the
// store's back is found by the audit, but for what is listed below with the reason.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "collector/report/control_record.h"
#include "collector/store/sqlite_store.h"
#include "common/testing/fault_vfs.h"
#include "tests/unit/collector/fake_agent.h"

namespace meldevakt::collector {
namespace {

using testing::admit;
using testing::FakeAgent;
using testing::kStart;

struct NoEvidence {
  const char* table;
  const char* column;  // "*": the whole row
  const char* rows;    // of which rows that holds
  const char* why;
};
constexpr NoEvidence kNoEvidence[] = {
    {"tenants", "name", "1", "what the operator calls it now; what is signed names its id"},
    {"tenants", "organisation", "1", "likewise; the register has the dated numbers"},
    {"tenants", "created", "1", "nothing is concluded from it"},
    {"invitations", "expires", "1", "a limit on what may still come, checked when it is used"},
    {"invitations", "*", "used_by IS NULL",
     "a permission and no history: what it lets in is signed and logged"},
};

using Row = std::map<std::string, std::string>;
struct Column {
  std::string name;
  std::string type;
  bool nullable = false;
  bool key = false;
};

class Tamperer {
 public:
  Tamperer() {
    REQUIRE(sqlite3_open_v2("collector.db", &database_, SQLITE_OPEN_READWRITE, "tamper-test") ==
            SQLITE_OK);
    REQUIRE(run("PRAGMA temp_store = MEMORY"));
  }
  ~Tamperer() { sqlite3_close(database_); }
  Tamperer(const Tamperer&) = delete;
  Tamperer& operator=(const Tamperer&) = delete;

  // False: a constraint forbids it, to a tamperer as to us.
  bool run(const std::string& sql) {
    return sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  }
  [[nodiscard]] int changes() const { return sqlite3_changes(database_); }
  [[nodiscard]] std::vector<Row> rows(const std::string& sql) {
    std::vector<Row> out;
    const auto take = [](void* to, int count, char** values, char** names) {
      Row row;
      for (int i = 0; i < count; ++i) row[names[i]] = values[i] == nullptr ? "" : values[i];
      static_cast<std::vector<Row>*>(to)->push_back(std::move(row));
      return 0;
    };
    REQUIRE(sqlite3_exec(database_, sql.c_str(), take, &out, nullptr) == SQLITE_OK);
    return out;
  }
  [[nodiscard]] std::vector<Column> columns(const std::string& table) {
    std::vector<Column> out;
    for (const Row& row : rows("PRAGMA table_info(" + table + ")")) {
      out.push_back({row.at("name"), row.at("type"),
                     row.at("notnull") == "0" && row.at("pk") == "0", row.at("pk") != "0"});
    }
    return out;
  }

 private:
  sqlite3* database_ = nullptr;
};

Receipt receipt(std::string id) {
  Receipt row;
  row.portal = "npb";
  row.message_id = std::move(id);
  row.sent = kStart;
  row.channel = "case_system";
  return row;
}

StoredControl control(std::uint64_t number, const Sha256& previous) {
  ControlRecord record;
  record.tenant = "t1";
  record.number = number;
  record.previous = previous;
  record.ran = kStart + days(static_cast<std::int64_t>(number));
  record.period = {kStart, record.ran + days(1)};
  record.software_version = "0.1.0";
  const std::string payload = encode_control(record);
  const auto signer = signer_from_seed(std::string(32, 'C')).value();
  return {number, link_hash(kControlType, payload), record.ran,
          seal(kControlType, payload, *signer).value()};
}

LedgerEntry mistaken(const std::string& message) {
  Testimony out;
  out.told = kStart;
  out.person = "Kari Prøve, leiar";
  out.what = SenderMistaken{message};
  return out;
}

// Something of everything, of two tenants.
struct World {
  World() {
    key->origin = "kollektor.example";
    key->signer = signer_from_seed(std::string(32, 'L')).value();
    key->public_key = key->signer->public_key();
    store = SqliteStore::open({"collector.db", "tamper-test", false, key, testing::random_bytes()})
                .value();
    for (FakeAgent* agent : {&first, &second, &foreign, &idle}) REQUIRE(admit(*store, *agent));
    REQUIRE(store->add_invitation({sha256("open"), "t1", kStart + hours(9)}));
    statements();
    imports();
    people();
    REQUIRE(store->add_alarm({"t1", second.id(), "silent", "since then", kStart + hours(1)}));
  }
  void statements() {
    for (const char* note : {"one", "two"}) {
      REQUIRE(store->store_frame(first.next(note), kStart + seconds(1)));
    }
    REQUIRE(store->add_alarm({"t1", first.id(), "silent", "since then", kStart + hours(1)}));
    const ChainHead backup = first.head();
    REQUIRE(store->store_frame(first.next("three"), kStart + hours(2)));
    const ChainHead head = first.head();
    first.set_head(backup);
    REQUIRE(store->store_frame(first.next("other three"), kStart + hours(3)));
    first.set_head(head);
    REQUIRE(store->store_frame(second.next("one"), kStart + seconds(2)));
    REQUIRE(store->store_frame(foreign.next("one"), kStart + seconds(3)));
  }
  void imports() {
    const ReceiptCoverage day{"npb", {kStart, kStart + days(1)}};
    const ReceiptCoverage next{"npb", {kStart + days(1), kStart + days(2)}};
    REQUIRE(store->import_receipts("t1", {receipt("m1"), receipt("m2")}, day, kStart));
    Receipt changed = receipt("m1");
    changed.confirmed = kStart + minutes(1);
    REQUIRE(store->import_receipts("t1", {changed}, std::nullopt, kStart + hours(1)));
    REQUIRE(store->import_receipts("t1", {}, next, kStart + hours(2)));
    REQUIRE(store->import_receipts("t2", {receipt("m3")}, day, kStart));
  }
  void people() {
    const RegistryEntry dpo{EntryKind::kContact, "dpo", "Kari Prøve", kAlways};
    const RegistryEntry name{EntryKind::kName, "Aure", "", kAlways};
    const RegistryEntry other{EntryKind::kName, "Aure kommune", "", kAlways};
    REQUIRE(store->add_registry_entries("t1", {dpo, name}, kStart));
    REQUIRE(store->add_registry_entries("t1", {other}, kStart + hours(1)));
    const StoredControl begin = control(0, Sha256{});
    REQUIRE(store->add_control("t1", begin));
    REQUIRE(store->add_control("t1", control(1, begin.link)));
    for (const char* message : {"m1", "m2"}) {
      REQUIRE(store->add_told("t1", mistaken(message), kStart + hours(1)));
    }
  }

  meldevakt::testing::FaultVfs disk{"tamper-test"};
  std::shared_ptr<LogKey> key = std::make_shared<LogKey>();
  std::unique_ptr<SqliteStore> store;
  FakeAgent first{'a', "t1"};
  FakeAgent second{'b', "t1"};
  FakeAgent foreign{'c', "t2"};
  FakeAgent idle{'d', "t2"};
};

std::string exempt(const std::string& table, const std::string& column) {
  std::string out = "0";
  for (const NoEvidence& one : kNoEvidence) {
    if (table == one.table && (one.column == column || one.column == std::string{"*"})) {
      out += std::string{" OR ("} + one.rows + ")";
    }
  }
  return out;
}

// Values that are not the column's now.
std::vector<std::string> others(const Column& column) {
  std::vector<std::string> out;
  const std::string& name = column.name;
  if (column.type == "INTEGER") {
    out = {"coalesce(" + name + ", 7) + 1", "coalesce(" + name + ", 7) - 1"};
  } else if (column.type == "TEXT") {
    out = {"coalesce(" + name + ", '') || 'x'", "''"};
  } else {
    out = {"CAST(coalesce(" + name + ", x'') || x'00' AS BLOB)", "zeroblob(length(" + name + "))",
           "CAST(x'00' || substr(" + name + ", 2) AS BLOB)"};
  }
  if (column.nullable) out.emplace_back("NULL");
  return out;
}

// Rows are named by their place in an order that no change of one column disturbs while it is made.
class Tampering {
 public:
  Tampering(World& world, const std::string& table) : world_{world}, table_{table} {
    columns_ = hand_.columns(table);
    std::string keys;
    for (const Column& column : columns_) {
      if (column.key) keys += (keys.empty() ? "" : ", ") + column.name;
    }
    REQUIRE_FALSE(keys.empty());
    REQUIRE(
        hand_.run("CREATE TEMP TABLE saved AS SELECT * FROM main." + table + " ORDER BY " + keys));
    count_ = std::stoi(hand_.rows("SELECT count(*) AS n FROM saved").front().at("n"));
  }

  [[nodiscard]] int rows() const { return count_; }

  void change_all() {
    for (const Column& column : columns_) {
      for (const std::string& value : others(column)) {
        for (int row = 1; row <= count_; ++row) change(column, value, row);
      }
    }
  }
  void remove_all() {
    for (int row = 1; row <= count_; ++row) {
      const std::string sql = "DELETE FROM main." + table_ + " WHERE " + is_row(row) +
                              " AND NOT (" + exempt(table_, "*") + ")";
      attempt(sql, "row " + std::to_string(row));
    }
  }
  // A copy of each row under another key.
  void slip_in_all() {
    int done = 0;
    for (const Column& column : columns_) {
      if (!column.key) continue;
      for (const std::string& value : others(column)) {
        for (int row = 1; row <= count_; ++row) done += slip_in(column, value, row) ? 1 : 0;
      }
    }
    CHECK_MESSAGE((done > 0 || exempt(table_, "*") != "0"), table_);
  }

 private:
  [[nodiscard]] std::string is_row(int row) const {
    std::string out;
    for (const Column& column : columns_) {
      if (!column.key) continue;
      out += (out.empty() ? "" : " AND ") + ("main." + table_) + "." + column.name +
             " = (SELECT s." + column.name +
             " FROM saved AS s WHERE s.rowid = " + std::to_string(row) + ")";
    }
    return out;
  }
  void change(const Column& column, const std::string& value, int row) {
    const std::string sql = "UPDATE main." + table_ + " SET " + column.name + " = " + value +
                            " WHERE " + is_row(row) + " AND " + column.name + " IS NOT " + value +
                            " AND NOT (" + exempt(table_, column.name) + ")";
    attempt(sql, column.name + " = " + value + ", row " + std::to_string(row));
  }
  bool slip_in(const Column& changed, const std::string& value, int row) {
    std::string values;
    for (const Column& column : columns_) {
      values += (values.empty() ? "" : ", ") + (column.name == changed.name ? value
                                                : column.name == "name" ? "name || 'x'"  // unique
                                                                        : column.name);
    }
    const std::string sql = "INSERT INTO main." + table_ + " SELECT " + values +
                            " FROM saved WHERE rowid = " + std::to_string(row) + " AND NOT (" +
                            exempt(table_, "*") + ")";
    return attempt(sql, "a copy of row " + std::to_string(row) + " with another " + changed.name);
  }
  // True when it could be done at all.
  bool attempt(const std::string& sql, const std::string& what) {
    const bool done = hand_.run(sql) && hand_.changes() == 1;
    if (!done) return false;
    const Status checked = world_.store->check_store(OpenSslVerifier{});
    CHECK_MESSAGE(!checked, table_ << ": " << what << " went unnoticed");
    if (!checked) CHECK_MESSAGE(checked.error().code() != Errc::kIo, checked.error().message());
    REQUIRE(hand_.run("DELETE FROM main." + table_ + "; INSERT INTO main." + table_ +
                      " SELECT * FROM saved"));
    return true;
  }

  World& world_;
  std::string table_;
  Tamperer hand_;
  std::vector<Column> columns_;
  int count_ = 0;
};

std::vector<std::string> tables() {
  Tamperer hand;
  std::vector<std::string> out;
  for (const Row& row : hand.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")) {
    out.push_back(row.at("name"));
  }
  return out;
}

TEST_CASE("audit: whatever is changed, removed or slipped in anywhere is found") {
  World world;
  const Status whole = world.store->check_store(OpenSslVerifier{});
  REQUIRE_MESSAGE(whole, (whole ? "" : whole.error().message()));
  const std::vector<std::string> all = tables();
  REQUIRE(all.size() >= 14);
  for (const std::string& table : all) {
    CAPTURE(table);
    Tampering tampering{world, table};
    CHECK(tampering.rows() > 0);
    tampering.change_all();
    tampering.remove_all();
    tampering.slip_in_all();
  }
  const Status again = world.store->check_store(OpenSslVerifier{});
  REQUIRE_MESSAGE(again, (again ? "" : again.error().message()));
}

TEST_CASE("audit: what is listed as no evidence is of a table and column that are there") {
  World world;
  Tamperer hand;
  for (const NoEvidence& one : kNoEvidence) {
    CAPTURE(one.table);
    const std::vector<Column> columns = hand.columns(one.table);
    const bool found = std::any_of(columns.begin(), columns.end(), [&](const Column& column) {
      return column.name == one.column || one.column == std::string{"*"};
    });
    CHECK_MESSAGE(found, one.column);
    CHECK(std::string{one.why} != "");
  }
}

}  // namespace
}  // namespace meldevakt::collector
