#include "collector/store/sqlite.h"

#include <sqlite3.h>

#include <limits>

#include "common/base/check.h"

namespace meldevakt::collector::sql {
namespace {

constexpr int kBusyTimeoutMs = 5000;

Errc code_of(int result) {
  switch (result & 0xff) {
    case SQLITE_CONSTRAINT: return Errc::kExists;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_MISMATCH: return Errc::kCorrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Errc::kUnavailable;
    case SQLITE_READONLY: return Errc::kInvalid;
    case SQLITE_TOOBIG: return Errc::kLimit;
    default: return Errc::kIo;
  }
}

Error failure(sqlite3* database, int result) {
  if ((result & 0xff) == SQLITE_FULL) return Error{Errc::kIo, "the disk is full"};
  std::string message = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(result);
  if (database != nullptr) {
    const int extended = sqlite3_extended_errcode(database);
    if ((extended & 0xff) != extended) message += " (sqlite " + std::to_string(extended) + ")";
  }
  return Error{code_of(result), std::move(message)};
}

int bind_text(sqlite3_stmt* statement, int at, std::string_view text) {
  // An empty view may have no data; SQLite would read that as NULL.
  return sqlite3_bind_text64(statement, at, text.data() == nullptr ? "" : text.data(), text.size(),
                             SQLITE_TRANSIENT, SQLITE_UTF8);
}

int bind(sqlite3_stmt* statement, int at, const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    return sqlite3_bind_int64(statement, at, *integer);
  }
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    return bind_text(statement, at, *text);
  }
  if (const auto* blob = std::get_if<Blob>(&value)) {
    const char* data = blob->bytes.data() == nullptr ? "" : blob->bytes.data();
    return sqlite3_bind_blob64(statement, at, data, blob->bytes.size(), SQLITE_TRANSIENT);
  }
  return sqlite3_bind_null(statement, at);
}

}  // namespace

Value value(std::optional<Instant> instant) {
  if (!instant) return std::monostate{};
  return instant->ms;
}

Rows::Rows(Rows&& other) noexcept : database_{other.database_}, statement_{other.statement_} {
  other.statement_ = nullptr;
}

Rows::~Rows() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Result<bool> Rows::next() {
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return failure(database_, result);
}

Status Rows::run() {
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool row, next());
    if (!row) return {};
  }
}

std::int64_t Rows::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::uint64_t Rows::count(int column) const {
  const std::int64_t value = integer(column);
  return value < 0 ? 0 : static_cast<std::uint64_t>(value);
}

std::optional<Instant> Rows::maybe_instant(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return Instant{integer(column)};
}

bool Rows::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::string Rows::text(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int bytes = sqlite3_column_bytes(statement_, column);
  if (data == nullptr || bytes <= 0) return {};
  return std::string(static_cast<const char*>(data), static_cast<std::size_t>(bytes));
}

Result<Sha256> Rows::hash(int column) const {
  return Sha256::from_bytes(text(column));
}

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path,
                                                     const std::string& vfs, Mode mode) {
  std::unique_ptr<Connection> connection{new Connection};
  const int flags = mode == Mode::kWriter
                        ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_PRIVATECACHE
                        : SQLITE_OPEN_READONLY | SQLITE_OPEN_PRIVATECACHE;
  const int result = sqlite3_open_v2(path.c_str(), &connection->database_, flags,
                                     vfs.empty() ? nullptr : vfs.c_str());
  if (result != SQLITE_OK) return failure(connection->database_, result);
  sqlite3_extended_result_codes(connection->database_, 1);
  sqlite3_busy_timeout(connection->database_, kBusyTimeoutMs);
  if (mode == Mode::kReader) {
    sqlite3_db_config(connection->database_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }
  return connection;
}

Connection::~Connection() {
  for (const auto& [text, statement] : statements_) sqlite3_finalize(statement);
  if (database_ != nullptr) sqlite3_close(database_);
}

void Connection::abandon() {
  if (database_ != nullptr) {
    sqlite3_db_config(database_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }
}

Result<sqlite3_stmt*> Connection::statement(const char* literal) {
  const auto known = statements_.find(literal);
  if (known != statements_.end()) return known->second;
  sqlite3_stmt* made = nullptr;
  const int result =
      sqlite3_prepare_v3(database_, literal, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr);
  if (result != SQLITE_OK) return failure(database_, result);
  statements_.emplace(literal, made);
  return made;
}

Result<Rows> Connection::query(const char* literal, std::initializer_list<Value> values) {
  MELDEVAKT_TRY_ASSIGN(sqlite3_stmt * made, statement(literal));
  Rows rows{database_, made};
  int at = 0;
  for (const Value& value : values) {
    const int result = bind(made, ++at, value);
    if (result != SQLITE_OK) return failure(database_, result);
  }
  MELDEVAKT_CHECK(at == sqlite3_bind_parameter_count(made));
  return rows;
}

Status Connection::run(const char* literal, std::initializer_list<Value> values) {
  MELDEVAKT_TRY_ASSIGN(Rows rows, query(literal, values));
  return rows.run();
}

Status Connection::execute(const char* script) {
  const int result = sqlite3_exec(database_, script, nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) return failure(database_, result);
  return {};
}

std::int64_t Connection::changes() const {
  return sqlite3_changes64(database_);
}

Status transaction(Connection& connection, const std::function<Status()>& work) {
  MELDEVAKT_TRY(connection.run("BEGIN IMMEDIATE"));
  Status done = work();
  if (done) done = connection.run("COMMIT");
  if (!done) {
    // A second error adds nothing: SQLite has rolled back already, or the connection is dropped.
    [[maybe_unused]] const Status rolled_back = connection.execute("ROLLBACK");
  }
  return done;
}

namespace {

// One file opened through a VFS, closed when it goes away.
class VfsFile {
 public:
  VfsFile(sqlite3_vfs& vfs, const std::string& path, int flags)
      : memory_(static_cast<std::size_t>(vfs.szOsFile), '\0') {
    int got = 0;
    result_ = vfs.xOpen(&vfs, path.c_str(), file(), flags, &got);
  }
  ~VfsFile() {
    if (file()->pMethods != nullptr) file()->pMethods->xClose(file());
  }
  VfsFile(const VfsFile&) = delete;
  VfsFile& operator=(const VfsFile&) = delete;

  [[nodiscard]] int result() const { return result_; }
  [[nodiscard]] sqlite3_file* file() { return reinterpret_cast<sqlite3_file*>(memory_.data()); }

 private:
  std::string memory_;
  int result_ = SQLITE_OK;
};

int rewrite_and_sync(sqlite3_file* file) {
  constexpr int kChunk = 64 * 1024;
  sqlite3_int64 size = 0;
  int result = file->pMethods->xFileSize(file, &size);
  std::string chunk(kChunk, '\0');
  for (sqlite3_int64 at = 0; result == SQLITE_OK && at < size; at += kChunk) {
    const int bytes = static_cast<int>(std::min<sqlite3_int64>(kChunk, size - at));
    result = file->pMethods->xRead(file, chunk.data(), bytes, at);
    if (result == SQLITE_OK) result = file->pMethods->xWrite(file, chunk.data(), bytes, at);
  }
  if (result == SQLITE_OK && size > 0) result = file->pMethods->xSync(file, SQLITE_SYNC_FULL);
  return result;
}

}  // namespace

Status make_log_durable(const std::string& path, const std::string& vfs_name) {
  sqlite3_initialize();
  sqlite3_vfs* vfs = sqlite3_vfs_find(vfs_name.empty() ? nullptr : vfs_name.c_str());
  if (vfs == nullptr) return Error{Errc::kInvalid, "no such file system layer: " + vfs_name};
  std::string full(static_cast<std::size_t>(vfs->mxPathname) + 1, '\0');
  int result = vfs->xFullPathname(vfs, path.c_str(), vfs->mxPathname + 1, full.data());
  if ((result & 0xff) != SQLITE_OK) return failure(nullptr, result);
  // SQLite's own names carry a second terminator (parameters of a URI would follow it).
  const std::string log = std::string(full.c_str()) + "-wal" + '\0';
  int exists = 0;
  result = vfs->xAccess(vfs, log.c_str(), SQLITE_ACCESS_EXISTS, &exists);
  if (result != SQLITE_OK) return failure(nullptr, result).in("log of the database");
  if (exists == 0) return {};
  VfsFile file{*vfs, log, SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL};
  if (file.result() != SQLITE_OK) return failure(nullptr, file.result()).in("log of the database");
  result = rewrite_and_sync(file.file());
  if (result != SQLITE_OK) return failure(nullptr, result).in("log of the database");
  return {};
}

}  // namespace meldevakt::collector::sql
