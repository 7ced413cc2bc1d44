// The register of tenants and the controls that ran: both only grow.
#include <string>
#include <utility>

#include "collector/store/records.h"
#include "collector/store/sqlite_store.h"

namespace meldevakt::collector {
namespace {

Result<std::uint64_t> entries_of(sql::Connection& db, const std::string& tenant) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows,
                       db.query("SELECT count(*) FROM registry WHERE tenant = ?", {tenant}));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  return row ? rows.count(0) : 0;
}

Status add_entries(sql::Connection& db, const std::string& tenant,
                   const std::vector<RegistryEntry>& entries, Instant now) {
  MELDEVAKT_TRY_ASSIGN(std::uint64_t next, entries_of(db, tenant));
  if (next + entries.size() > kEntriesMax) {
    return Error{Errc::kLimit,
                 "a tenant's register holds at most " + std::to_string(kEntriesMax) + " entries"};
  }
  for (const RegistryEntry& entry : entries) {
    MELDEVAKT_TRY_ASSIGN(const std::int64_t number, stored_number(next++));
    MELDEVAKT_TRY(
        db.run("INSERT INTO registry (tenant, entry, kind, value, label, from_ms, until_ms,"
               " recorded) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
               {tenant, number, to_string(entry.kind), entry.value, entry.label,
                sql::value(entry.span.from), sql::value(entry.span.to), sql::value(now)}));
  }
  return {};
}

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

}  // namespace

Status SqliteStore::add_registry_entries(const std::string& tenant,
                                         const std::vector<RegistryEntry>& entries, Instant now) {
  return write([&](sql::Connection& db) { return add_entries(db, tenant, entries, now); });
}

Result<std::vector<RegistryEntry>> SqliteStore::registry_entries(const std::string& tenant) {
  std::vector<RegistryEntry> out;
  MELDEVAKT_TRY(with([&](sql::Connection& db) { return read_entries(db, tenant, out); }));
  return out;
}

Status SqliteStore::add_control(const std::string& tenant, const StoredControl& control) {
  return write([&](sql::Connection& db) -> Status {
    MELDEVAKT_TRY_ASSIGN(const std::int64_t number, stored_number(control.number));
    return db.run(
        "INSERT INTO controls (tenant, number, link, ran, envelope) VALUES (?, ?, ?, ?, ?)",
        {tenant, number, sql::value(control.link), sql::value(control.ran),
         sql::Blob{control.envelope}});
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
