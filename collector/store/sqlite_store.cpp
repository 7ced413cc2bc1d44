#include "collector/store/sqlite_store.h"

#include "collector/store/migrations.h"
#include "collector/store/records.h"
#include "collector/store/sqlite_log.h"

namespace meldevakt::collector {
namespace {

bool drops_connection(const Error& error) {
  return error.code() == Errc::kIo || error.code() == Errc::kUnavailable;
}

bool is_full(const Error& error) {
  return error.message().find("the disk is full") != std::string::npos;
}

Status expect_answer(sql::Connection& connection, const char* pragma, std::string_view wanted) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows, connection.query(pragma));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  const std::string got = row ? rows.text(0) : "nothing";
  if (got == wanted) return {};
  return Error{Errc::kCorrupt, std::string(pragma) + " answers '" + got + "'"};
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(Options options) {
  std::unique_ptr<SqliteStore> store{new SqliteStore{std::move(options)}};
  MELDEVAKT_TRY(store->ensure_open());
  return store;
}

Result<bool> SqliteStore::has_signed_logs(const std::string& path) {
  auto opened = sql::Connection::open(path, "", sql::Connection::Mode::kReader);
  if (!opened) return std::move(opened).error().in("database " + path);
  sql::Connection& db = *opened.value();
  {
    MELDEVAKT_TRY_ASSIGN(
        sql::Rows rows,
        db.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'logs'"));
    MELDEVAKT_TRY_ASSIGN(const bool table, rows.next());
    if (!table) return false;
  }
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows, db.query("SELECT 1 FROM logs WHERE note <> '' LIMIT 1"));
  return rows.next();
}

Status SqliteStore::ensure_open() {
  if (connection_) return {};
  Status opened = options_.read_only ? open_reader() : open_writer();
  if (!opened) {
    if (connection_) connection_->abandon();
    connection_.reset();
    return std::move(opened).error().in("database " + options_.path);
  }
  return {};
}

Status SqliteStore::open_writer() {
  MELDEVAKT_TRY(sql::make_log_durable(options_.path, options_.vfs));
  MELDEVAKT_TRY_ASSIGN(connection_, sql::Connection::open(options_.path, options_.vfs,
                                                          sql::Connection::Mode::kWriter));
  MELDEVAKT_TRY(expect_answer(*connection_, "PRAGMA journal_mode = WAL", "wal"));
  MELDEVAKT_TRY(
      connection_->execute("PRAGMA synchronous = FULL; PRAGMA mmap_size = 0;"
                           "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"));
  if (check_next_open_) {
    MELDEVAKT_TRY(expect_answer(*connection_, "PRAGMA quick_check(1)", "ok"));
  }
  MELDEVAKT_TRY(sql::transaction(*connection_, [&]() -> Status {
    MELDEVAKT_TRY_ASSIGN(const int version, migrate(*connection_));
    return catch_up_logs(*connection_, options_.log_key.get(), options_.random.get(), version);
  }));
  check_next_open_ = false;
  return {};
}

Status SqliteStore::open_reader() {
  MELDEVAKT_TRY_ASSIGN(connection_, sql::Connection::open(options_.path, options_.vfs,
                                                          sql::Connection::Mode::kReader));
  MELDEVAKT_TRY(connection_->execute("PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF;"));
  return check_version(*connection_);
}

Status SqliteStore::with(const std::function<Status(sql::Connection&)>& work) {
  MELDEVAKT_TRY(ensure_open());
  Status done = work(*connection_);
  if (!done && drops_connection(done.error())) {
    check_next_open_ = !is_full(done.error());
    connection_->abandon();
    connection_.reset();
    return std::move(done).error().in("store");
  }
  return done;
}

Status SqliteStore::write(const std::function<Status(sql::Connection&)>& work) {
  if (options_.read_only) return Error{Errc::kInvalid, "store: opened for reading only"};
  return with([&](sql::Connection& connection) {
    return sql::transaction(connection, [&] { return work(connection); });
  });
}

Status SqliteStore::add_tenant(const Tenant& tenant) {
  return write([&](sql::Connection& db) -> Status {
    MELDEVAKT_TRY(
        db.run("INSERT INTO tenants (tenant, name, organisation, created) VALUES (?, ?, ?, ?)",
               {tenant.id, tenant.name, tenant.organisation, sql::value(tenant.created)}));
    return begin_log(db, tenant.id, options_.log_key.get());
  });
}

Result<std::vector<Tenant>> SqliteStore::tenants() {
  std::vector<Tenant> all;
  const Status done = with([&](sql::Connection& db) -> Status {
    MELDEVAKT_TRY_ASSIGN(
        sql::Rows rows,
        db.query("SELECT tenant, name, organisation, created FROM tenants ORDER BY name"));
    for (;;) {
      MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
      if (!row) return {};
      all.push_back({rows.text(0), rows.text(1), rows.text(2), rows.instant(3)});
    }
  });
  if (!done) return done.error();
  return all;
}

Status SqliteStore::add_invitation(const Invitation& invitation) {
  return write([&](sql::Connection& db) {
    return db.run(
        "INSERT INTO invitations (tenant, token_hash, expires) VALUES (?, ?, ?)",
        {invitation.tenant, sql::value(invitation.token_hash), sql::value(invitation.expires)});
  });
}

Result<AgentRecord> SqliteStore::agent(const std::string& agent_id) {
  std::optional<AgentRecord> found;
  const Status done = with([&](sql::Connection& db) -> Status {
    MELDEVAKT_TRY_ASSIGN(found, find_agent(db, agent_id));
    return {};
  });
  if (!done) return done.error();
  if (!found) return Error{Errc::kNotFound, "no agent " + agent_id + " is enrolled"};
  return *std::move(found);
}

Result<std::vector<AgentRecord>> SqliteStore::agents(const std::string& tenant) {
  std::vector<AgentRecord> all;
  const Status done = with([&](sql::Connection& db) -> Status {
    MELDEVAKT_TRY_ASSIGN(
        sql::Rows rows,
        db.query("SELECT tenant, agent, public_key, tls_key, enrolled, last_received, head_epoch,"
                 " head_next, head_link, head_until FROM agents WHERE tenant = ? ORDER BY agent",
                 {tenant}));
    for (;;) {
      MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
      if (!row) return {};
      MELDEVAKT_TRY_ASSIGN(AgentRecord record, agent_of(rows));
      all.push_back(std::move(record));
    }
  });
  if (!done) return done.error();
  return all;
}

Result<std::string> SqliteStore::log_checkpoint(const std::string& tenant) {
  std::string note;
  const Status done = with([&](sql::Connection& db) -> Status {
    MELDEVAKT_TRY_ASSIGN(const std::optional<TenantLog> log, find_log(db, tenant));
    if (!log || log->note.empty()) return Error{Errc::kNotFound, "no checkpoint is signed yet"};
    note = log->note;
    return {};
  });
  if (!done) return done.error();
  return note;
}

Result<std::string> SqliteStore::log_key(const std::string& tenant) {
  std::string key;
  const Status done = with([&](sql::Connection& db) -> Status {
    MELDEVAKT_TRY_ASSIGN(const std::optional<TenantLog> log, find_log(db, tenant));
    if (!log || log->note.empty() || !options_.log_key) {
      return Error{Errc::kNotFound, "no checkpoint is signed yet"};
    }
    key = to_text(make_note_key(log->origin, NoteKeyType::kEd25519, options_.log_key->public_key));
    return {};
  });
  if (!done) return done.error();
  return key;
}

Result<std::string> SqliteStore::log_tile(const std::string& tenant, const TilePath& path) {
  std::string bytes;
  const Status done = with([&](sql::Connection& db) -> Status {
    MELDEVAKT_TRY_ASSIGN(bytes, tile_bytes(db, tenant, path));
    return {};
  });
  if (!done) return done.error();
  return bytes;
}

Result<LogProof> SqliteStore::log_proof(const std::string& agent_id, std::uint64_t epoch,
                                        std::uint64_t sequence, std::uint64_t seen) {
  LogProof proof;
  const Status done = with([&](sql::Connection& db) -> Status {
    MELDEVAKT_TRY_ASSIGN(proof, proof_of(db, agent_id, epoch, sequence, seen));
    return {};
  });
  if (!done) return done.error();
  return proof;
}

}  // namespace meldevakt::collector
