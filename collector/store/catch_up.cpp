// What a database made by an older version lacks in its logs, when a writer first opens it.
#include <utility>
#include <vector>

#include "collector/store/migrations.h"
#include "collector/store/records.h"
#include "collector/store/sqlite_log.h"
#include "common/seal/checkpoint.h"

namespace meldevakt::collector {
namespace {

constexpr int kFirstWithLogs = 2;

// A tenant's log from its beginning, with what has its bytes in rows of its own.
Status fill_log(sql::Connection& db, const std::string& tenant) {
  struct Enrolled {
    std::string agent;
    std::string envelope;
    Instant at;
  };
  std::vector<Enrolled> all;
  {
    MELDEVAKT_TRY_ASSIGN(sql::Rows rows,
                         db.query("SELECT agent, enrolment, enrolled FROM agents"
                                  " WHERE tenant = ? ORDER BY enrolled, first DESC, agent",
                                  {tenant}));
    for (;;) {
      MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
      if (!row) break;
      all.push_back({rows.text(0), rows.text(1), rows.instant(2)});
    }
  }
  for (const Enrolled& one : all) {
    MELDEVAKT_TRY(
        append_log(db, tenant, nullptr, {"enrolment", {}, one.agent, one.envelope}, one.at));
  }
  for (std::int64_t index = 0;; ++index) {
    std::string envelope;
    Instant received;
    {
      MELDEVAKT_TRY_ASSIGN(
          sql::Rows rows,
          db.query("SELECT envelope, received FROM ledger WHERE tenant = ? AND idx = ?",
                   {tenant, index}));
      MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
      if (!row) return {};
      envelope = rows.text(0);
      received = rows.instant(1);
    }
    MELDEVAKT_TRY(append_log(db, tenant, nullptr, {"statement", index, "", envelope}, received));
  }
}

Result<std::vector<std::string>> texts(sql::Connection& db, const char* literal) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows, db.query(literal));
  std::vector<std::string> out;
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) return out;
    out.push_back(rows.text(0));
  }
}

// A checkpoint that is there was signed by this very key: whoever trusts the log knows it by its
// key, and one that another key signed would pass for a split log.
// Ed25519 signs the same text the same way each time.
Status check_key(const std::string& tenant, const TenantLog& log, const LogKey& key) {
  const Result<Note> note = parse_note(log.note);
  if (!note) {
    return Error{Errc::kCorrupt, "tenant " + tenant + ": the checkpoint of its log is damaged (" +
                                     note.error().message() +
                                     "): restore the database from your backup"};
  }
  MELDEVAKT_TRY_ASSIGN(const NoteSignature ours,
                       sign_note(note.value().text, log.origin, *key.signer));
  for (const NoteSignature& signature : note.value().signatures) {
    if (signature == ours) return {};
  }
  return Error{Errc::kInvalid, "the log " + log.origin +
                                   " was signed with another key than log.key in the data "
                                   "folder: put the right one back from your backup"};
}

// Before anything is added: an entry takes the place of the checkpoint that shows whose log it is.
Status check_keys(sql::Connection& db, const LogKey& key) {
  MELDEVAKT_TRY_ASSIGN(const std::vector<std::string> all,
                       texts(db, "SELECT tenant FROM logs WHERE note <> '' ORDER BY tenant"));
  for (const std::string& tenant : all) {
    MELDEVAKT_TRY_ASSIGN(const std::optional<TenantLog> log, find_log(db, tenant));
    if (log) MELDEVAKT_TRY(check_key(tenant, *log, key));
  }
  return {};
}

Status sign_heads(sql::Connection& db, const LogKey& key) {
  MELDEVAKT_TRY_ASSIGN(const std::vector<std::string> all,
                       texts(db, "SELECT tenant FROM logs WHERE note = '' ORDER BY tenant"));
  for (const std::string& tenant : all) {
    MELDEVAKT_TRY_ASSIGN(std::optional<TenantLog> log, find_log(db, tenant));
    if (!log) return Error{Errc::kCorrupt, "tenant " + tenant + " has no log"};
    // The origin is the log's identity: once given it stays, whatever the machine is called later.
    if (log->origin.empty()) log->origin = key.origin_of(tenant);
    MELDEVAKT_TRY_ASSIGN(log->note, signed_note(&key, log->origin, log->tree));
    MELDEVAKT_TRY(move_log(db, tenant, log->tree.size(), *log));
  }
  return {};
}

Status log_what_is_not(sql::Connection& db, Random* random, int from_version) {
  if (from_version < kFirstWithLogs) {
    MELDEVAKT_TRY_ASSIGN(const std::vector<std::string> all,
                         texts(db, "SELECT tenant FROM tenants ORDER BY tenant"));
    for (const std::string& tenant : all) {
      MELDEVAKT_TRY(begin_log(db, tenant, nullptr));
      MELDEVAKT_TRY(fill_log(db, tenant));
    }
  }
  MELDEVAKT_TRY_ASSIGN(const std::vector<std::string> tenants,
                       texts(db, "SELECT tenant FROM logs ORDER BY tenant"));
  for (const std::string& tenant : tenants) {
    MELDEVAKT_TRY(log_old_imports(db, tenant));
    MELDEVAKT_TRY(log_old_alarms(db, tenant));
    MELDEVAKT_TRY(log_old_registry(db, tenant, random));
    MELDEVAKT_TRY(log_old_controls(db, tenant, random));
  }
  return {};
}

}  // namespace

Status catch_up_logs(sql::Connection& db, const LogKey* key, Random* random, int from_version) {
  const bool signs = key != nullptr && key->signer;
  if (signs) MELDEVAKT_TRY(check_keys(db, *key));
  // Only then: what turns up in a database that is up to date, and no log tells of it, was slipped
  // in, and is for the audit to find.
  if (from_version > 0 && from_version < kSchemaVersion) {
    MELDEVAKT_TRY(log_what_is_not(db, random, from_version));
  }
  return signs ? sign_heads(db, *key) : Status{};
}

}  // namespace meldevakt::collector
