// SQLite with our rules: WAL, synchronous=FULL, no memory mapping, one connection that writes and
// checkpoints (the packaged library has the WAL-reset fault for two), errors as values.
//
//   MELDEVAKT_TRY_ASSIGN(Database db, Database::open("/var/lib/.../state.db", Access::kWrite));
//   MELDEVAKT_TRY_ASSIGN(Query q, db.prepare("SELECT a FROM t WHERE b = ?"));
//   q.bind(1, "x");
//   while (true) { MELDEVAKT_TRY_ASSIGN(bool row, q.step()); if (!row) break; q.text(0); }
//
// Thread-safety: none; one connection, one thread at a time.
// Errors: kIo (the disk refused, "disk full" in words), kCorrupt (damaged), kExists (a key is
// taken), kUnavailable (locked by another process), kInvalid (our own SQL).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace meldevakt::agent {

class Query {
 public:
  // Positions count from 1. Texts and blobs are copied.
  Query& bind(int position, std::string_view text);
  Query& bind(int position, std::int64_t number);
  Query& bind_blob(int position, std::string_view bytes);
  Query& bind_null(int position);

  [[nodiscard]] Result<bool> step();  // true: a row is there
  [[nodiscard]] Status run();         // to the end, then ready for other values

  // Columns count from 0; valid until the next step.
  [[nodiscard]] std::int64_t number(int column) const;
  [[nodiscard]] std::string text(int column) const;  // blobs too
  [[nodiscard]] bool is_null(int column) const;

 private:
  friend class Database;
  struct Finalise {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Query(sqlite3_stmt* statement) : statement_{statement} {}
  std::unique_ptr<sqlite3_stmt, Finalise> statement_;
};

enum class Access : std::uint8_t {
  kWrite,  // creates the file (0600) when it is not there
  kRead,   // never writes, never checkpoints
};

class Database {
 public:
  // `uri`: a path, or "file:...?vfs=..." (tests).
  [[nodiscard]] static Result<Database> open(const std::string& uri, Access access);

  [[nodiscard]] Result<Query> prepare(std::string_view sql);
  [[nodiscard]] Status execute(const char* sql);  // several statements, no results
  [[nodiscard]] Result<std::int64_t> number(std::string_view sql);
  [[nodiscard]] std::int64_t changed_rows() const;

 private:
  struct Close {
    void operator()(sqlite3* db) const;
  };
  explicit Database(sqlite3* db) : db_{db} {}
  [[nodiscard]] Status configure(Access access);
  std::unique_ptr<sqlite3, Close> db_;
};

}  // namespace meldevakt::agent
