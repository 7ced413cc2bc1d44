// What people tell: numbered entries that are only ever added. The log holds an entry's salted hash
// and not its bytes: they name a person, and a log cannot forget.
#include <algorithm>
#include <string>
#include <utility>

#include "collector/store/records.h"
#include "collector/store/sqlite_log.h"
#include "collector/store/sqlite_store.h"

namespace meldevakt::collector {
namespace {

// Above every number that a row has or the log told of: one whose row is gone is not given again.
Result<std::uint64_t> next_number(sql::Connection& db, const std::string& tenant) {
  MELDEVAKT_TRY_ASSIGN(const std::uint64_t logged, number_after_last(db, tenant, "told"));
  MELDEVAKT_TRY_ASSIGN(
      sql::Rows rows,
      db.query("SELECT coalesce(max(number) + 1, 0) FROM told WHERE tenant = ?", {tenant}));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  return std::max(logged, row ? rows.count(0) : 0);
}

Result<std::uint64_t> add(sql::Connection& db, const LogKey* key, const std::string& tenant,
                          LedgerEntry entry, Random* random, Instant now) {
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
  MELDEVAKT_TRY_ASSIGN(const std::string salt, new_salt(random));
  MELDEVAKT_TRY(
      db.run("INSERT INTO told (tenant, number, recorded, person, entry, log_idx, salt)"
             " VALUES (?, ?, ?, ?, ?, ?, ?)",
             {tenant, stored, sql::value(now), person, sql::Blob{bytes}, index, sql::Blob{salt}}));
  MELDEVAKT_TRY(append_digest(db, tenant, key,
                              {"told", number, std::nullopt, salted_digest(salt, bytes)}, now));
  return number;
}

Status read_all(sql::Connection& db, const std::string& tenant, std::vector<ToldEntry>& out,
                std::vector<Alarm>& alarms) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows, db.query("SELECT number, recorded, person, entry FROM told"
                                                " WHERE tenant = ? ORDER BY number",
                                                {tenant}));
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool there, rows.next());
    if (!there) return {};
    const ToldRow row{rows.count(0), rows.instant(1), rows.text(2), rows.text(3)};
    auto entry = told_of(row);
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

Result<LedgerEntry> told_of(const ToldRow& row) {
  MELDEVAKT_TRY_ASSIGN(LedgerEntry entry, decode_entry(row.bytes));
  if (number_of(entry) != row.number || person_of(entry) != row.person) {
    return Error{Errc::kCorrupt, "its columns are not what it says"};
  }
  return entry;
}

Result<std::uint64_t> SqliteStore::add_told(const std::string& tenant, const LedgerEntry& entry,
                                            Instant now) {
  std::uint64_t number = 0;
  MELDEVAKT_TRY(write([&](sql::Connection& db) -> Status {
    MELDEVAKT_TRY_ASSIGN(
        number, add(db, options_.log_key.get(), tenant, entry, options_.random.get(), now));
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
