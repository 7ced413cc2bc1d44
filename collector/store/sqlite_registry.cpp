// The register of tenants and the controls that ran: both only grow, and each addition is an entry
// of the tenant's log.
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

Status log_registry(sql::Connection& db, const LogKey* key, const std::string& tenant,
                    std::uint64_t added, std::int64_t index, Instant now) {
  MELDEVAKT_TRY_ASSIGN(const std::string digest, registry_digest(db, tenant, index));
  return append_digest(db, tenant, key, {"registry", "added", added, digest}, now);
}

Status log_control(sql::Connection& db, const LogKey* key, const std::string& tenant,
                   std::uint64_t number, std::int64_t index, Instant ran) {
  MELDEVAKT_TRY_ASSIGN(const std::string digest, control_digest(db, tenant, index));
  return append_digest(db, tenant, key, {"control", "number", number, digest}, ran);
}

Status add_entries(sql::Connection& db, const LogKey* key, const std::string& tenant,
                   const std::vector<RegistryEntry>& given, Instant now) {
  std::vector<RegistryEntry> before;
  MELDEVAKT_TRY(read_entries(db, tenant, before));
  const std::vector<RegistryEntry> entries = entries_that_change(before, given);
  if (entries.empty()) return {};
  MELDEVAKT_TRY_ASSIGN(const std::int64_t index, next_log_index(db, tenant));
  std::uint64_t next = before.size();
  if (next + entries.size() > kEntriesMax) {
    return Error{Errc::kLimit,
                 "a tenant's register holds at most " + std::to_string(kEntriesMax) + " entries"};
  }
  for (const RegistryEntry& entry : entries) {
    MELDEVAKT_TRY_ASSIGN(const std::int64_t number, stored_number(next++));
    MELDEVAKT_TRY(
        db.run("INSERT INTO registry (tenant, entry, kind, value, label, from_ms, until_ms,"
               " recorded, log_idx) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
               {tenant, number, to_string(entry.kind), entry.value, entry.label,
                sql::value(entry.span.from), sql::value(entry.span.to), sql::value(now), index}));
  }
  return log_registry(db, key, tenant, entries.size(), index, now);
}

Status read_controls(sql::Connection& db, const std::string& tenant, std::size_t count_max,
                     std::vector<StoredControl>& out) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows, db.query("SELECT number, link, ran, envelope FROM controls"
                                                " WHERE tenant = ? ORDER BY number DESC LIMIT ?",
                                                {tenant, static_cast<std::int64_t>(count_max)}));
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) return {};
    MELDEVAKT_TRY_ASSIGN(const Sha256 link, rows.hash(1));
    out.push_back({rows.count(0), link, rows.instant(2), rows.text(3)});
  }
}

struct OldControl {
  std::uint64_t number = 0;
  Instant ran;
};

Result<std::vector<OldControl>> old_controls(sql::Connection& db, const std::string& tenant) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows, db.query("SELECT number, ran FROM controls WHERE tenant = ?"
                                                " AND log_idx IS NULL ORDER BY number",
                                                {tenant}));
  std::vector<OldControl> out;
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) return out;
    out.push_back({rows.count(0), rows.instant(1)});
  }
}

}  // namespace

Result<std::string> registry_digest(sql::Connection& db, const std::string& tenant,
                                    std::int64_t index) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows,
                       db.query("SELECT entry, kind, value, label, from_ms, until_ms FROM registry"
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
    stream.update(std::move(json).take());
    stream.update("\n");
  }
}

Result<std::string> control_digest(sql::Connection& db, const std::string& tenant,
                                   std::int64_t index) {
  MELDEVAKT_TRY_ASSIGN(
      sql::Rows rows,
      db.query("SELECT envelope FROM controls WHERE tenant = ? AND log_idx = ?", {tenant, index}));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  if (!row) return Error{Errc::kCorrupt, "a control's record is not there"};
  return sha256(rows.text(0)).hex();
}

Status log_old_registry(sql::Connection& db, const std::string& tenant) {
  MELDEVAKT_TRY_ASSIGN(const std::int64_t index, next_log_index(db, tenant));
  Instant recorded;
  {
    MELDEVAKT_TRY_ASSIGN(
        sql::Rows rows,
        db.query("SELECT max(recorded) FROM registry WHERE tenant = ? AND log_idx IS NULL",
                 {tenant}));
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (row) recorded = rows.instant(0);
  }
  MELDEVAKT_TRY(db.run("UPDATE registry SET log_idx = ? WHERE tenant = ? AND log_idx IS NULL",
                       {index, tenant}));
  const auto added = static_cast<std::uint64_t>(db.changes());
  return log_registry(db, nullptr, tenant, added, index, recorded);
}

Status log_old_controls(sql::Connection& db, const std::string& tenant) {
  MELDEVAKT_TRY_ASSIGN(const std::vector<OldControl> old, old_controls(db, tenant));
  for (const OldControl& control : old) {
    MELDEVAKT_TRY_ASSIGN(const std::int64_t index, next_log_index(db, tenant));
    MELDEVAKT_TRY_ASSIGN(const std::int64_t number, stored_number(control.number));
    MELDEVAKT_TRY(db.run("UPDATE controls SET log_idx = ? WHERE tenant = ? AND number = ?",
                         {index, tenant, number}));
    MELDEVAKT_TRY(log_control(db, nullptr, tenant, control.number, index, control.ran));
  }
  return {};
}

Status SqliteStore::add_registry_entries(const std::string& tenant,
                                         const std::vector<RegistryEntry>& entries, Instant now) {
  return write([&](sql::Connection& db) {
    return add_entries(db, options_.log_key.get(), tenant, entries, now);
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
    MELDEVAKT_TRY(
        db.run("INSERT INTO controls (tenant, number, link, ran, envelope, log_idx)"
               " VALUES (?, ?, ?, ?, ?, ?)",
               {tenant, number, sql::value(control.link), sql::value(control.ran),
                sql::Blob{control.envelope}, index}));
    return log_control(db, options_.log_key.get(), tenant, control.number, index, control.ran);
  });
}

Result<std::vector<StoredControl>> SqliteStore::controls(const std::string& tenant,
                                                         std::size_t count_max) {
  std::vector<StoredControl> out;
  MELDEVAKT_TRY(
      with([&](sql::Connection& db) { return read_controls(db, tenant, count_max, out); }));
  return out;
}

}  // namespace meldevakt::collector
