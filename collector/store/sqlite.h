// SQLite behind our own words: one connection, statements that reset themselves, errors as values.
//
// Errors: kIo (disk, full disk, lost file: the connection must be closed and opened again, never
// tried again in place: after a failed sync the kernel calls lost pages clean), kCorrupt (not a
// database, or damaged), kUnavailable (locked), kExists (a constraint), kInvalid (a reader that
// would write). Thread-safety: none; one thread at a time. Statements are compiled once a
// connection and kept, so the text given to query() must be a literal.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/time.h"

struct sqlite3;
struct sqlite3_stmt;

namespace meldevakt::collector::sql {

struct Blob {
  std::string_view bytes;
};
using Value = std::variant<std::monostate, std::int64_t, std::string_view, Blob>;

[[nodiscard]] Value value(std::optional<Instant> instant);
[[nodiscard]] inline Value value(Instant instant) {
  return instant.ms;
}
[[nodiscard]] inline Value value(const Sha256& hash) {
  return Blob{hash.view()};
}

// The rows of one statement. Resets the statement when it goes away; borrowed views die then too.
class Rows {
 public:
  Rows(Rows&& other) noexcept;
  Rows& operator=(Rows&&) = delete;
  ~Rows();

  [[nodiscard]] Result<bool> next();  // true: a row is there
  [[nodiscard]] Status run();         // to the end, rows ignored

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::uint64_t count(int column) const;  // stored by us: never negative
  [[nodiscard]] Instant instant(int column) const { return {integer(column)}; }
  [[nodiscard]] std::optional<Instant> maybe_instant(int column) const;
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::string text(int column) const;  // text or blob
  [[nodiscard]] Result<Sha256> hash(int column) const;

 private:
  friend class Connection;
  Rows(sqlite3* database, sqlite3_stmt* statement) : database_{database}, statement_{statement} {}
  sqlite3* database_;
  sqlite3_stmt* statement_;
};

class Connection {
 public:
  enum class Mode : std::uint8_t { kWriter, kReader };

  // `vfs`: "" = the system's own. A writer makes the file; a reader never checkpoints.
  [[nodiscard]] static Result<std::unique_ptr<Connection>> open(const std::string& path,
                                                                const std::string& vfs, Mode mode);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] Result<Rows> query(const char* literal, std::initializer_list<Value> values = {});
  [[nodiscard]] Status run(const char* literal, std::initializer_list<Value> values = {});
  [[nodiscard]] Status execute(const char* script);  // several statements, nothing bound
  [[nodiscard]] std::int64_t changes() const;        // rows of the last insert or update
  // After an error of the disk: closing must not write to it once more.
  void abandon();

 private:
  Connection() = default;
  [[nodiscard]] Result<sqlite3_stmt*> statement(const char* literal);

  sqlite3* database_ = nullptr;
  std::map<std::string_view, sqlite3_stmt*> statements_;
};

// BEGIN IMMEDIATE ... COMMIT around `work`; rolled back when it returns an error. Ok means synced.
[[nodiscard]] Status transaction(Connection& connection, const std::function<Status()>& work);

// Writes the log beside the database over itself and syncs it. A process that was refused a sync
// may leave a log that is whole in memory only, and clean in the kernel's eyes: whoever opens the
// database next would take it for durable and acknowledge on top of it. Written again it is dirty
// again, and the sync is a real one. Ok when there is no log.
[[nodiscard]] Status make_log_durable(const std::string& path, const std::string& vfs);

}  // namespace meldevakt::collector::sql
