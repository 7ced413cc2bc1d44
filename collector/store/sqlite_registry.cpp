// The register of tenants and the controls that ran: both only grow, and each addition is an entry
// of the tenant's log.
#include <algorithm>
#include <string>
#include <utility>

#include "collector/store/records.h"
#include "collector/store/sqlite_log.h"
#include "collector/store/sqlite_store.h"
#include "common/ports/sha256.h"
#include "common/summary/json.h"

namespace meldevakt::collector {
namespace {

Status read_entries(sql::Connection& db, const std::string& tenant,
                    std::vector<RegistryEntry>& out) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows,
                       db.query("SELECT kind, value, label, from_ms, until_ms FROM registry"
                                " WHERE tenant = ? ORDER BY entry",
                                {tenant}));
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) return {};
    const std::string kind = rows.text(0);
    const auto known = entry_kind_from_string(kind);
    if (!known) return Error{Errc::kCorrupt, "the register holds a kind '" + kind + "'"};
    out.push_back({*known, rows.text(1), rows.text(2), {rows.instant(3), rows.instant(4)}});
  }
}

// The rows that name this entry, which is the next one.
struct Addition {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::int64_t index = 0;
  Instant recorded;
};
Status log_registry(sql::Connection& db, const LogKey* key, const std::string& tenant,
                    const Addition& added) {
  MELDEVAKT_TRY_ASSIGN(const std::string digest,
                       registry_digest(db, tenant, added.index, kDigestVersion));
  return append_digest(db, tenant, key, {"registry", added.first, added.count, digest},
                       added.recorded);
}

Status log_control(sql::Connection& db, const LogKey* key, const std::string& tenant,
                   const StoredControl& control, const std::string& salt) {
  return append_digest(
      db, tenant, key,
      {"control", control.number, std::nullopt, salted_digest(salt, control.envelope)},
      control.ran);
}

// Above every number that a row has or the log told of: one whose row is gone is not given again.
Result<std::uint64_t> next_entry(sql::Connection& db, const std::string& tenant) {
  MELDEVAKT_TRY_ASSIGN(const std::uint64_t logged, number_after_last(db, tenant, "registry"));
  MELDEVAKT_TRY_ASSIGN(
      sql::Rows rows,
      db.query("SELECT coalesce(max(entry) + 1, 0) FROM registry WHERE tenant = ?", {tenant}));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  return std::max(logged, row ? rows.count(0) : 0);
}

Status add_entries(sql::Connection& db, const LogKey* key, const std::string& tenant,
                   const std::vector<RegistryEntry>& given, Random* random, Instant now) {
  std::vector<RegistryEntry> before;
  MELDEVAKT_TRY(read_entries(db, tenant, before));
  const std::vector<RegistryEntry> entries = entries_that_change(before, given);
  if (entries.empty()) return {};
  if (before.size() + entries.size() > kEntriesMax) {
    return Error{Errc::kLimit,
                 "a tenant's register holds at most " + std::to_string(kEntriesMax) + " entries"};
  }
  Addition added{0, entries.size(), 0, now};
  MELDEVAKT_TRY_ASSIGN(added.index, next_log_index(db, tenant));
  MELDEVAKT_TRY_ASSIGN(added.first, next_entry(db, tenant));
  std::uint64_t next = added.first;
  for (const RegistryEntry& entry : entries) {
    MELDEVAKT_TRY_ASSIGN(const std::int64_t number, stored_number(next++));
    MELDEVAKT_TRY_ASSIGN(const std::string salt, new_salt(random));
    MELDEVAKT_TRY(
        db.run("INSERT INTO registry (tenant, entry, kind, value, label, from_ms, until_ms,"
               " recorded, log_idx, salt) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
               {tenant, number, to_string(entry.kind), entry.value, entry.label,
                sql::value(entry.span.from), sql::value(entry.span.to), sql::value(now),
                added.index, sql::Blob{salt}}));
  }
  return log_registry(db, key, tenant, added);
}

Status read_controls(sql::Connection& db, const std::string& tenant, std::size_t count_max,
                     std::int64_t before, std::vector<StoredControl>& out) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows,
                       db.query("SELECT number, link, ran, envelope FROM controls"
                                " WHERE tenant = ? AND number < ? ORDER BY number DESC LIMIT ?",
                                {tenant, before, static_cast<std::int64_t>(count_max)}));
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) return {};
    MELDEVAKT_TRY_ASSIGN(const Sha256 link, rows.hash(1));
    out.push_back({rows.count(0), link, rows.instant(2), rows.text(3)});
  }
}

Result<std::vector<StoredControl>> old_controls(sql::Connection& db, const std::string& tenant) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows,
                       db.query("SELECT number, link, ran, envelope FROM controls WHERE tenant = ?"
                                " AND log_idx IS NULL ORDER BY number",
                                {tenant}));
  std::vector<StoredControl> out;
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) return out;
    MELDEVAKT_TRY_ASSIGN(const Sha256 link, rows.hash(1));
    out.push_back({rows.count(0), link, rows.instant(2), rows.text(3)});
  }
}

struct OldEntry {
  std::uint64_t number = 0;
  Instant recorded;
};
Result<std::vector<OldEntry>> old_entries(sql::Connection& db, const std::string& tenant) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows, db.query("SELECT entry, recorded FROM registry"
                                                " WHERE tenant = ? AND log_idx IS NULL"
                                                " ORDER BY entry",
                                                {tenant}));
  std::vector<OldEntry> out;
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) return out;
    out.push_back({rows.count(0), rows.instant(1)});
  }
}

// The control's number is the next one: the store leaves none out and gives none twice.
Status check_number(sql::Connection& db, const std::string& tenant, std::uint64_t number) {
  MELDEVAKT_TRY_ASSIGN(const std::uint64_t next, number_after_last(db, tenant, "control"));
  if (number == next) return {};
  const std::string what = "the tenant's next control is number " + std::to_string(next) +
                           ", not " + std::to_string(number);
  if (number > next) return Error{Errc::kInvalid, what};
  return Error{Errc::kExists,
               what + ", which was recorded: 'audit' tells whether it is still there"};
}

}  // namespace

Result<std::string> registry_digest(sql::Connection& db, const std::string& tenant,
                                    std::int64_t index, std::int64_t version) {
  MELDEVAKT_TRY_ASSIGN(
      sql::Rows rows,
      db.query("SELECT entry, kind, value, label, from_ms, until_ms, salt FROM registry"
               " WHERE tenant = ? AND log_idx = ? ORDER BY entry",
               {tenant, index}));
  Sha256Stream stream;
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) return stream.finish().hex();
    JsonWriter json;
    json.begin_object()
        .member("entry", rows.integer(0))
        .member("kind", rows.text(1))
        .member("value", rows.text(2))
        .member("label", rows.text(3))
        .member("from", rows.integer(4))
        .member("until", rows.integer(5))
        .end_object();
    const std::string bytes = std::move(json).take();
    stream.update(version == 1 ? bytes : salted_digest(rows.text(6), bytes));
    stream.update("\n");
  }
}

Status log_old_registry(sql::Connection& db, const std::string& tenant, Random* random) {
  MELDEVAKT_TRY_ASSIGN(const std::vector<OldEntry> old, old_entries(db, tenant));
  for (std::size_t at = 0; at < old.size();) {
    Addition added{old[at].number, 0, 0, old[at].recorded};
    MELDEVAKT_TRY_ASSIGN(added.index, next_log_index(db, tenant));
    for (; at < old.size() && old[at].recorded == added.recorded; ++at, ++added.count) {
      MELDEVAKT_TRY_ASSIGN(const std::int64_t number, stored_number(old[at].number));
      MELDEVAKT_TRY_ASSIGN(const std::string salt, new_salt(random));
      MELDEVAKT_TRY(
          db.run("UPDATE registry SET log_idx = ?, salt = ? WHERE tenant = ?"
                 " AND entry = ?",
                 {added.index, sql::Blob{salt}, tenant, number}));
    }
    MELDEVAKT_TRY(log_registry(db, nullptr, tenant, added));
  }
  return {};
}

Status log_old_controls(sql::Connection& db, const std::string& tenant, Random* random) {
  MELDEVAKT_TRY_ASSIGN(const std::vector<StoredControl> old, old_controls(db, tenant));
  for (const StoredControl& control : old) {
    MELDEVAKT_TRY_ASSIGN(const std::int64_t index, next_log_index(db, tenant));
    MELDEVAKT_TRY_ASSIGN(const std::int64_t number, stored_number(control.number));
    MELDEVAKT_TRY_ASSIGN(const std::string salt, new_salt(random));
    MELDEVAKT_TRY(
        db.run("UPDATE controls SET log_idx = ?, salt = ? WHERE tenant = ? AND number = ?",
               {index, sql::Blob{salt}, tenant, number}));
    MELDEVAKT_TRY(log_control(db, nullptr, tenant, control, salt));
  }
  return {};
}

Status SqliteStore::add_registry_entries(const std::string& tenant,
                                         const std::vector<RegistryEntry>& entries, Instant now) {
  return write([&](sql::Connection& db) {
    return add_entries(db, options_.log_key.get(), tenant, entries, options_.random.get(), now);
  });
}

Result<std::vector<RegistryEntry>> SqliteStore::registry_entries(const std::string& tenant) {
  std::vector<RegistryEntry> out;
  MELDEVAKT_TRY(with([&](sql::Connection& db) { return read_entries(db, tenant, out); }));
  return out;
}

Status SqliteStore::add_control(const std::string& tenant, const StoredControl& control) {
  return write([&](sql::Connection& db) -> Status {
    MELDEVAKT_TRY_ASSIGN(const std::int64_t number, stored_number(control.number));
    MELDEVAKT_TRY_ASSIGN(const std::int64_t index, next_log_index(db, tenant));
    MELDEVAKT_TRY(check_number(db, tenant, control.number));
    MELDEVAKT_TRY_ASSIGN(const std::string salt, new_salt(options_.random.get()));
    MELDEVAKT_TRY(
        db.run("INSERT INTO controls (tenant, number, link, ran, envelope, log_idx, salt)"
               " VALUES (?, ?, ?, ?, ?, ?, ?)",
               {tenant, number, sql::value(control.link), sql::value(control.ran),
                sql::Blob{control.envelope}, index, sql::Blob{salt}}));
    return log_control(db, options_.log_key.get(), tenant, control, salt);
  });
}

Result<std::vector<StoredControl>> SqliteStore::controls_before(std::uint64_t before,
                                                                const std::string& tenant,
                                                                std::size_t count_max) {
  std::vector<StoredControl> out;
  MELDEVAKT_TRY(with([&](sql::Connection& db) {
    return read_controls(db, tenant, count_max, static_cast<std::int64_t>(before), out);
  }));
  return out;
}

}  // namespace meldevakt::collector
