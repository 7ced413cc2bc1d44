// What people tell: numbered entries that are only ever added. The log holds an entry's hash and
// not its bytes: they name a person, and a log cannot forget.
#include <string>
#include <utility>

#include "collector/store/records.h"
#include "collector/store/sqlite_log.h"
#include "collector/store/sqlite_store.h"
#include "common/ports/sha256.h"

namespace meldevakt::collector {
namespace {

struct Row {
  std::uint64_t number = 0;
  Instant recorded;
  std::string person;
  std::string bytes;
};

Result<std::uint64_t> next_number(sql::Connection& db, const std::string& tenant) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows,
                       db.query("SELECT count(*) FROM told WHERE tenant = ?", {tenant}));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  return row ? rows.count(0) : 0;
}

Result<std::uint64_t> add(sql::Connection& db, const LogKey* key, const std::string& tenant,
                          LedgerEntry entry, Instant now) {
  MELDEVAKT_TRY_ASSIGN(const std::uint64_t number, next_number(db, tenant));
  if (number >= kToldMax) {
    return Error{Errc::kLimit,
                 "of a tenant at most " + std::to_string(kToldMax) + " entries of people are kept"};
  }
  set_number(entry, number);
  const std::string bytes = encode_entry(entry);
  const std::string person{person_of(entry)};
  MELDEVAKT_TRY_ASSIGN(const std::int64_t stored, stored_number(number));
  MELDEVAKT_TRY_ASSIGN(const std::int64_t index, next_log_index(db, tenant));
  MELDEVAKT_TRY(db.run(
      "INSERT INTO told (tenant, number, recorded, person, entry, log_idx) VALUES (?, ?, ?, ?, ?,"
      " ?)",
      {tenant, stored, sql::value(now), person, sql::Blob{bytes}, index}));
  MELDEVAKT_TRY(
      append_digest(db, tenant, key, {"told", "number", number, sha256(bytes).hex()}, now));
  return number;
}

// What was stored is read as strictly as what comes in.
Result<LedgerEntry> entry_of(const Row& row) {
  MELDEVAKT_TRY_ASSIGN(LedgerEntry entry, decode_entry(row.bytes));
  if (number_of(entry) != row.number || person_of(entry) != row.person) {
    return Error{Errc::kCorrupt, "its columns are not what it says"};
  }
  return entry;
}

Status read_all(sql::Connection& db, const std::string& tenant, std::vector<ToldEntry>& out,
                std::vector<Alarm>& alarms) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows, db.query("SELECT number, recorded, person, entry FROM told"
                                                " WHERE tenant = ? ORDER BY number",
                                                {tenant}));
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool there, rows.next());
    if (!there) return {};
    const Row row{rows.count(0), rows.instant(1), rows.text(2), rows.text(3)};
    auto entry = entry_of(row);
    if (entry) {
      out.push_back({std::move(entry).value(), row.recorded});
    } else {
      alarms.push_back({tenant, "", "undecodable_entry",
                        "what a person told as number " + std::to_string(row.number) + ": " +
                            entry.error().message(),
                        row.recorded});
    }
  }
}

}  // namespace

Result<std::string> told_digest(sql::Connection& db, const std::string& tenant,
                                std::int64_t index) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows, db.query("SELECT number, recorded, person, entry FROM told"
                                                " WHERE tenant = ? AND log_idx = ?",
                                                {tenant, index}));
  MELDEVAKT_TRY_ASSIGN(const bool there, rows.next());
  if (!there) return Error{Errc::kCorrupt, "what a person told is not there"};
  const Row row{rows.count(0), rows.instant(1), rows.text(2), rows.text(3)};
  MELDEVAKT_TRY(entry_of(row));
  return sha256(row.bytes).hex();
}

Result<std::uint64_t> SqliteStore::add_told(const std::string& tenant, const LedgerEntry& entry,
                                            Instant now) {
  std::uint64_t number = 0;
  MELDEVAKT_TRY(write([&](sql::Connection& db) -> Status {
    MELDEVAKT_TRY_ASSIGN(number, add(db, options_.log_key.get(), tenant, entry, now));
    return {};
  }));
  return number;
}

Result<std::vector<ToldEntry>> SqliteStore::told(const std::string& tenant,
                                                 std::vector<Alarm>& alarms_found) {
  std::vector<ToldEntry> out;
  MELDEVAKT_TRY(with([&](sql::Connection& db) { return read_all(db, tenant, out, alarms_found); }));
  return out;
}

}  // namespace meldevakt::collector
