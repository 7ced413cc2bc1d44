#include "agent/state/database.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include <utility>

namespace meldevakt::agent {
namespace {

Error as_error(sqlite3* db, int result) {
  const std::string words = db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(result);
  switch (result & 0xFF) {
    case SQLITE_FULL: return {Errc::kIo, "disk full: " + words};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return {Errc::kCorrupt, "damaged: " + words};
    case SQLITE_CONSTRAINT: return {Errc::kExists, words};
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return {Errc::kUnavailable, words};
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
    case SQLITE_MISMATCH: return {Errc::kInvalid, words};
    default: return {Errc::kIo, words};
  }
}

}  // namespace

void Query::Finalise::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Query& Query::bind(int position, std::string_view text) {
  sqlite3_bind_text(statement_.get(), position, text.data(), static_cast<int>(text.size()),
                    SQLITE_TRANSIENT);  // NOLINT: SQLite's own cast
  return *this;
}

Query& Query::bind(int position, std::int64_t number) {
  sqlite3_bind_int64(statement_.get(), position, number);
  return *this;
}

Query& Query::bind_blob(int position, std::string_view bytes) {
  sqlite3_bind_blob(statement_.get(), position, bytes.empty() ? "" : bytes.data(),
                    static_cast<int>(bytes.size()), SQLITE_TRANSIENT);
  return *this;
}

Query& Query::bind_null(int position) {
  sqlite3_bind_null(statement_.get(), position);
  return *this;
}

Result<bool> Query::step() {
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  sqlite3* db = sqlite3_db_handle(statement_.get());
  Error error = as_error(db, result);
  sqlite3_reset(statement_.get());
  return error;
}

Status Query::run() {
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool row, step());
    if (!row) break;
  }
  sqlite3_reset(statement_.get());
  return {};
}

std::int64_t Query::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string Query::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return bytes == nullptr ? std::string{} : std::string(bytes, static_cast<std::size_t>(size));
}

bool Query::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

void Database::Close::operator()(sqlite3* db) const {
  sqlite3_close_v2(db);
}

Result<Database> Database::open(const std::string& uri, Access access) {
  sqlite3* raw = nullptr;
  const int flags =
      access == Access::kWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  // The mask holds from the first byte on; a chmod afterwards would leave a moment.
  const mode_t mask = ::umask(0077);
  const int result =
      sqlite3_open_v2(uri.c_str(), &raw, flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nullptr);
  ::umask(mask);
  Database db{raw};
  if (result != SQLITE_OK) {
    if (access == Access::kRead && (result & 0xFF) == SQLITE_CANTOPEN) {
      return Error{Errc::kNotFound, as_error(raw, result).message()};
    }
    return as_error(raw, result);
  }
  sqlite3_extended_result_codes(raw, 1);
  MELDEVAKT_TRY(db.configure(access));
  return db;
}

Status Database::configure(Access access) {
  sqlite3_busy_timeout(db_.get(), 2000);
  MELDEVAKT_TRY(
      execute("PRAGMA mmap_size = 0; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"));
  if (access == Access::kRead) {
    sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    return execute("PRAGMA query_only = ON;");
  }
  MELDEVAKT_TRY(execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"));
  // What a failed run wrote but could not sync is in the WAL as far as we can see, and perhaps not
  // on the disk. Moving it into the database, synced, makes what we read what there is.
  return execute("PRAGMA wal_checkpoint(TRUNCATE);");
}

Result<Query> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int result =
      sqlite3_prepare_v2(db_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (result != SQLITE_OK) return as_error(db_.get(), result);
  return Query{statement};
}

Status Database::execute(const char* sql) {
  const int result = sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) return as_error(db_.get(), result);
  return {};
}

Result<std::int64_t> Database::number(std::string_view sql) {
  MELDEVAKT_TRY_ASSIGN(Query query, prepare(sql));
  MELDEVAKT_TRY_ASSIGN(const bool row, query.step());
  if (!row) return Error{Errc::kNotFound, "no row"};
  return query.number(0);
}

std::int64_t Database::changed_rows() const {
  return sqlite3_changes64(db_.get());
}

}  // namespace meldevakt::agent
