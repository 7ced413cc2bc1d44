// The portal's rows: every distinct version is kept, none is overwritten.
#include <set>

#include "collector/store/records.h"
#include "collector/store/sqlite_store.h"

namespace meldevakt::collector {
namespace {

struct Versions {
  std::int64_t newest = 0;
  bool known = false;  // this very version is among them
};

Result<Versions> versions_of(sql::Connection& db, const std::string& tenant,
                             const Receipt& receipt) {
  MELDEVAKT_TRY_ASSIGN(
      sql::Rows rows,
      db.query("SELECT version, sent, confirmed, form, channel, district FROM receipts"
               " WHERE tenant = ? AND portal = ? AND message_id = ? ORDER BY version",
               {tenant, receipt.portal, receipt.message_id}));
  Versions versions;
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) return versions;
    versions.newest = rows.integer(0);
    versions.known =
        versions.known ||
        (rows.maybe_instant(1) == receipt.sent && rows.maybe_instant(2) == receipt.confirmed &&
         rows.text(3) == to_string(receipt.form) && rows.text(4) == receipt.channel &&
         rows.text(5) == receipt.district);
  }
}

Status import_one(sql::Connection& db, const std::string& tenant, const Receipt& receipt,
                  Instant now, ImportResult& result) {
  MELDEVAKT_TRY_ASSIGN(const Versions versions, versions_of(db, tenant, receipt));
  if (versions.known) {
    ++result.unchanged;
    return {};
  }
  ++(versions.newest == 0 ? result.added : result.changed);
  return db.run(
      "INSERT INTO receipts (tenant, portal, message_id, version, imported, sent,"
      " confirmed, form, channel, district) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {tenant, receipt.portal, receipt.message_id, versions.newest + 1, sql::value(now),
       sql::value(receipt.sent), sql::value(receipt.confirmed), to_string(receipt.form),
       receipt.channel, receipt.district});
}

}  // namespace

Result<ImportResult> SqliteStore::import_receipts(const std::string& tenant,
                                                  const std::vector<Receipt>& receipts,
                                                  const std::optional<ReceiptCoverage>& coverage,
                                                  Instant now) {
  ImportResult result;
  const Status done = write([&](sql::Connection& db) -> Status {
    for (const Receipt& receipt : receipts) {
      MELDEVAKT_TRY(import_one(db, tenant, receipt, now, result));
    }
    if (!coverage) return {};
    return db.run(
        "INSERT INTO receipt_coverage (tenant, portal, from_ms, until_ms, imported)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        {tenant, coverage->portal, sql::value(coverage->span.from), sql::value(coverage->span.to),
         sql::value(now)});
  });
  if (!done) return done.error();
  return result;
}

}  // namespace meldevakt::collector
