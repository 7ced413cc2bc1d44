// A tenant's log told again from the bytes that it is about.
#include "collector/store/log_accounts.h"
#include "collector/store/records.h"
#include "collector/store/sqlite_log.h"
#include "common/seal/checkpoint.h"

namespace meldevakt::collector {
namespace {

Error damaged(const std::string& tenant, std::uint64_t index, std::string_view what) {
  return Error{Errc::kCorrupt, "tenant " + tenant + " log entry " + std::to_string(index) + ": " +
                                   std::string{what}};
}

Result<std::optional<LoggedEntry>> entry_of(sql::Connection& db, const std::string& tenant,
                                            std::uint64_t index) {
  MELDEVAKT_TRY_ASSIGN(const std::int64_t idx, stored_number(index));
  MELDEVAKT_TRY_ASSIGN(
      sql::Rows rows,
      db.query("SELECT e.kind, e.time, e.ledger_idx IS NULL, e.ledger_idx, e.agent,"
               " coalesce(l.received, a.enrolled), coalesce(e.entry, l.envelope, a.enrolment)"
               " FROM log_entries AS e"
               " LEFT JOIN ledger AS l ON l.tenant = e.tenant AND l.idx = e.ledger_idx"
               " LEFT JOIN agents AS a ON a.agent = e.agent AND a.tenant = e.tenant"
               " WHERE e.tenant = ? AND e.idx = ?",
               {tenant, idx}));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  if (!row) return std::optional<LoggedEntry>{};
  LoggedEntry out{rows.text(0), rows.integer(1), std::nullopt,
                  rows.text(4), std::nullopt,    rows.text(6)};
  if (rows.integer(2) == 0) out.ledger_index = rows.integer(3);
  if (const auto at = rows.maybe_instant(5)) out.row_time = at->ms;
  return std::optional<LoggedEntry>{std::move(out)};
}

Result<std::int64_t> number_of(sql::Connection& db, const char* literal,
                               const std::string& tenant) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows, db.query(literal, {tenant}));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  return row ? rows.integer(0) : 0;
}

// The hashes as they must be, compared with the rows; in batches that bound what is held.
Status check_hashes(sql::Connection& db, const std::string& tenant, std::uint64_t size,
                    MerklePeaks& tree, LogAccounts& accounts) {
  const ReadTileHashes stored = tile_hashes_of(db, tenant);
  std::int64_t hashes = 0;
  for (std::uint64_t index = 0; index < size; ++index) {
    MELDEVAKT_TRY_ASSIGN(const std::optional<LoggedEntry> entry, entry_of(db, tenant, index));
    if (!entry) return damaged(tenant, index, "missing");
    const Sha256 leaf = leaf_hash(entry->bytes);
    // What it reads of the rows was compared when it was its turn.
    MELDEVAKT_TRY_ASSIGN(const std::vector<TileHash> wanted,
                         tile_hashes_added(index, {leaf}, stored));
    for (const TileHash& one : wanted) {
      MELDEVAKT_TRY_ASSIGN(const HashList there, stored(one.level, one.position, 1));
      if (there.front() != one.hash) return damaged(tenant, index, "its hash is another");
      ++hashes;
    }
    tree.append(leaf);
    if (const Status agrees = accounts.add(index, *entry); !agrees) {
      return damaged(tenant, index, agrees.error().message());
    }
  }
  MELDEVAKT_TRY_ASSIGN(const std::int64_t kept,
                       number_of(db, "SELECT count(*) FROM log_hashes WHERE tenant = ?", tenant));
  MELDEVAKT_TRY_ASSIGN(const std::int64_t entries,
                       number_of(db, "SELECT count(*) FROM log_entries WHERE tenant = ?", tenant));
  if (kept != hashes || entries != static_cast<std::int64_t>(size)) {
    return Error{Errc::kCorrupt, "tenant " + tenant + ": its log has more than its head says"};
  }
  return {};
}

Status check_note(const std::string& tenant, const TenantLog& log, const LogKey& key,
                  const Verifier& verifier) {
  LogPolicy policy;
  policy.log = make_note_key(log.origin, NoteKeyType::kEd25519, key.public_key);
  auto trusted = verify_checkpoint(log.note, policy, verifier);
  if (!trusted) return std::move(trusted).error().in("tenant " + tenant + ": its checkpoint");
  const Checkpoint& checkpoint = trusted.value().checkpoint;
  if (checkpoint.size != log.tree.size() || checkpoint.root != log.tree.root()) {
    return Error{Errc::kCorrupt, "tenant " + tenant + ": its checkpoint is of another tree"};
  }
  return {};
}

}  // namespace

Result<std::uint64_t> check_log(sql::Connection& db, const std::string& tenant, const LogKey* key,
                                const Verifier& verifier) {
  MELDEVAKT_TRY_ASSIGN(const std::optional<TenantLog> log, find_log(db, tenant));
  if (!log) return Error{Errc::kCorrupt, "tenant " + tenant + " has no log"};
  MerklePeaks tree;
  LogAccounts accounts{db, tenant};
  MELDEVAKT_TRY(check_hashes(db, tenant, log->tree.size(), tree, accounts));
  if (tree.peaks() != log->tree.peaks()) {
    return Error{Errc::kCorrupt, "tenant " + tenant + ": its log's head is not its entries'"};
  }
  {
    MELDEVAKT_TRY_ASSIGN(sql::Rows rows,
                         db.query("SELECT root FROM logs WHERE tenant = ?", {tenant}));
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    MELDEVAKT_TRY_ASSIGN(const Sha256 root, rows.hash(0));
    if (!row || root != tree.root()) {
      return Error{Errc::kCorrupt, "tenant " + tenant + ": its log's root is another"};
    }
  }
  MELDEVAKT_TRY(accounts.finish());
  if (key != nullptr) MELDEVAKT_TRY(check_note(tenant, *log, *key, verifier));
  return tree.size();
}

}  // namespace meldevakt::collector
