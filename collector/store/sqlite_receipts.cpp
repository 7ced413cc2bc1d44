// The portal's rows: every distinct version is kept, none is overwritten.
#include <map>
#include <set>

#include "collector/store/entry_words.h"
#include "collector/store/records.h"
#include "collector/store/sqlite_log.h"
#include "collector/store/sqlite_store.h"
#include "common/ports/sha256.h"
#include "common/receipts/counting_rows.h"
#include "common/summary/json.h"

namespace meldevakt::collector {
namespace {

struct Versions {
  std::int64_t newest = 0;
  std::map<Receipt, Instant> rows;  // and when each was told, first or anew
};

Result<Versions> versions_of(sql::Connection& db, const std::string& tenant,
                             const Receipt& receipt) {
  MELDEVAKT_TRY_ASSIGN(
      sql::Rows rows,
      db.query(
          "SELECT portal, message_id, sent, confirmed, form, channel, district, version, imported"
          " FROM receipts WHERE tenant = ? AND portal = ? AND message_id = ?"
          " ORDER BY version",
          {tenant, receipt.portal, receipt.message_id}));
  Versions versions;
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) return versions;
    versions.newest = rows.integer(7);
    versions.rows.insert_or_assign(receipt_of(rows), rows.instant(8));
  }
}

// `log_index`: of the log's entry that tells of this import.
Status import_one(sql::Connection& db, const std::string& tenant, const Receipt& receipt,
                  std::int64_t log_index, Instant now, ImportResult& result) {
  MELDEVAKT_TRY_ASSIGN(Versions versions, versions_of(db, tenant, receipt));
  const auto same = versions.rows.find(receipt);
  if (same != versions.rows.end() && !is_told_anew(receipt, same->second, now)) {
    ++result.unchanged;
    return {};
  }
  ++(versions.newest == 0 ? result.added : result.changed);
  result.rows.push_back(receipt);
  return db.run(
      "INSERT INTO receipts (tenant, portal, message_id, version, imported, sent,"
      " confirmed, form, channel, district, log_idx) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {tenant, receipt.portal, receipt.message_id, versions.newest + 1, sql::value(now),
       sql::value(receipt.sent), sql::value(receipt.confirmed), to_string(receipt.form),
       receipt.channel, receipt.district, log_index});
}

struct Import {
  std::string tenant;
  std::int64_t log_index = 0;
  std::optional<ReceiptCoverage> coverage;  // when it is new
  Instant now;
};

Status log_import(sql::Connection& db, const LogKey* key, const Import& import,
                  const ImportResult& result) {
  MELDEVAKT_TRY_ASSIGN(const std::string digest,
                       receipts_digest(db, import.tenant, import.log_index));
  JsonWriter json;
  json.begin_object()
      .member("version", std::int64_t{1})
      .member("kind", "receipts")
      .member("time", import.now.ms)
      .member("added", result.added)
      .member("changed", result.changed)
      .member("sha256", digest);
  if (import.coverage) {
    json.member("portal", import.coverage->portal)
        .member("complete_from", import.coverage->span.from.ms)
        .member("complete_until", import.coverage->span.to.ms);
  }
  json.end_object();
  const std::string bytes = std::move(json).take();
  MELDEVAKT_TRY(append_log(db, import.tenant, key, {"receipts", {}, "", bytes}, import.now));
  return {};
}

// Rows of before there were logs, each import on its own.
Status log_old_rows(sql::Connection& db, const std::string& tenant) {
  for (;;) {
    Import import{tenant, 0, std::nullopt, {}};
    ImportResult result;
    {
      MELDEVAKT_TRY_ASSIGN(
          sql::Rows rows,
          db.query("SELECT imported, sum(version = 1), sum(version <> 1) FROM receipts"
                   " WHERE tenant = ? AND log_idx IS NULL GROUP BY imported ORDER BY imported"
                   " LIMIT 1",
                   {tenant}));
      MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
      if (!row) return {};
      import.now = rows.instant(0);
      result.added = rows.count(1);
      result.changed = rows.count(2);
    }
    MELDEVAKT_TRY_ASSIGN(import.log_index, next_log_index(db, tenant));
    MELDEVAKT_TRY(db.run(
        "UPDATE receipts SET log_idx = ? WHERE tenant = ? AND log_idx IS NULL AND imported = ?",
        {import.log_index, tenant, sql::value(import.now)}));
    MELDEVAKT_TRY(log_import(db, nullptr, import, result));
  }
}

struct Claim {
  std::string portal;
  std::int64_t from = 0;
  std::int64_t until = 0;
  auto operator<=>(const Claim&) const = default;
};

Result<std::set<Claim>> told_claims(sql::Connection& db, const std::string& tenant) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows,
                       db.query("SELECT entry FROM log_entries WHERE tenant = ?"
                                " AND kind = 'receipts' AND entry IS NOT NULL ORDER BY idx",
                                {tenant}));
  std::set<Claim> out;
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) return out;
    MELDEVAKT_TRY_ASSIGN(const EntryWords words, EntryWords::parse(rows.text(0)));
    out.insert({words.text("portal"), words.integer("complete_from").value_or(0),
                words.integer("complete_until").value_or(0)});
  }
}

Status log_old_claims(sql::Connection& db, const std::string& tenant) {
  MELDEVAKT_TRY_ASSIGN(const std::set<Claim> told, told_claims(db, tenant));
  std::vector<Import> imports;
  {
    MELDEVAKT_TRY_ASSIGN(sql::Rows rows,
                         db.query("SELECT portal, from_ms, until_ms, imported FROM receipt_coverage"
                                  " WHERE tenant = ? ORDER BY imported, portal, from_ms, until_ms",
                                  {tenant}));
    for (;;) {
      MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
      if (!row) break;
      if (told.count({rows.text(0), rows.integer(1), rows.integer(2)}) != 0) continue;
      imports.push_back({tenant, 0,
                         ReceiptCoverage{rows.text(0), {rows.instant(1), rows.instant(2)}},
                         rows.instant(3)});
    }
  }
  for (Import& import : imports) {
    MELDEVAKT_TRY_ASSIGN(import.log_index, next_log_index(db, tenant));
    MELDEVAKT_TRY(log_import(db, nullptr, import, {}));
  }
  return {};
}

Status read_versions(sql::Connection& db, const std::string& tenant, std::vector<Receipt>& out) {
  MELDEVAKT_TRY_ASSIGN(
      sql::Rows rows,
      db.query("SELECT portal, message_id, sent, confirmed, form, channel, district FROM receipts"
               " WHERE tenant = ? ORDER BY portal, message_id, version",
               {tenant}));
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) return {};
    out.push_back(receipt_of(rows));
  }
}

}  // namespace

Receipt receipt_of(const sql::Rows& rows) {
  Receipt receipt;
  receipt.portal = rows.text(0);
  receipt.message_id = rows.text(1);
  receipt.sent = rows.maybe_instant(2);
  receipt.confirmed = rows.maybe_instant(3);
  receipt.form = form_from_string(rows.text(4)).value_or(FormType::kUnknown);
  receipt.channel = rows.text(5);
  receipt.district = rows.text(6);
  return receipt;
}

Result<std::optional<Instant>> SqliteStore::first_import(const std::string& tenant) {
  std::optional<Instant> out;
  const Status done = with([&](sql::Connection& db) -> Status {
    MELDEVAKT_TRY_ASSIGN(sql::Rows rows,
                         db.query("SELECT min(imported) FROM receipts WHERE tenant = ?", {tenant}));
    MELDEVAKT_TRY(rows.next());
    out = rows.maybe_instant(0);
    return {};
  });
  if (!done) return done.error();
  return out;
}

Result<ImportResult> SqliteStore::import_receipts(const std::string& tenant,
                                                  const std::vector<Receipt>& receipts,
                                                  const std::optional<ReceiptCoverage>& coverage,
                                                  Instant now) {
  ImportResult result;
  result.told = now;
  const Status done = write([&](sql::Connection& db) -> Status {
    Import import{tenant, 0, std::nullopt, now};
    MELDEVAKT_TRY_ASSIGN(import.log_index, next_log_index(db, tenant));
    for (const Receipt& receipt : receipts) {
      MELDEVAKT_TRY(import_one(db, tenant, receipt, import.log_index, now, result));
    }
    if (coverage) {
      MELDEVAKT_TRY(
          db.run("INSERT INTO receipt_coverage (tenant, portal, from_ms, until_ms, imported)"
                 " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                 {tenant, coverage->portal, sql::value(coverage->span.from),
                  sql::value(coverage->span.to), sql::value(now)}));
      if (db.changes() == 1) import.coverage = coverage;
    }
    if (result.added + result.changed == 0 && !import.coverage) return {};
    return log_import(db, options_.log_key.get(), import, result);
  });
  if (!done) return done.error();
  return result;
}

Result<std::vector<Receipt>> SqliteStore::receipt_versions(const std::string& tenant) {
  std::vector<Receipt> out;
  MELDEVAKT_TRY(with([&](sql::Connection& db) { return read_versions(db, tenant, out); }));
  return out;
}

Status log_old_imports(sql::Connection& db, const std::string& tenant) {
  MELDEVAKT_TRY(log_old_rows(db, tenant));
  return log_old_claims(db, tenant);
}

Result<std::string> receipts_digest(sql::Connection& db, const std::string& tenant,
                                    std::int64_t import) {
  MELDEVAKT_TRY_ASSIGN(
      sql::Rows rows,
      db.query("SELECT portal, message_id, version, sent, confirmed, form, channel, district"
               " FROM receipts WHERE tenant = ? AND log_idx = ?"
               " ORDER BY portal, message_id, version",
               {tenant, import}));
  Sha256Stream stream;
  const auto time = [](std::optional<Instant> at) { return at ? at->ms : std::int64_t{-1}; };
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) return stream.finish().hex();
    JsonWriter json;
    json.begin_object()
        .member("portal", rows.text(0))
        .member("message_id", rows.text(1))
        .member("version", rows.integer(2))
        .member("sent", time(rows.maybe_instant(3)))
        .member("confirmed", time(rows.maybe_instant(4)))
        .member("form", rows.text(5))
        .member("channel", rows.text(6))
        .member("district", rows.text(7))
        .end_object();
    stream.update(std::move(json).take());
    stream.update("\n");
  }
}

}  // namespace meldevakt::collector
