#include "collector/app/told_register.h"

#include <utility>

namespace meldevakt::collector {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr const char* kTables = R"sql(
CREATE TABLE told (
  tenant       TEXT NOT NULL,
  message      TEXT NOT NULL,
  state        TEXT NOT NULL,
  needs_action INTEGER NOT NULL CHECK (needs_action IN (0, 1)),
  told         INTEGER NOT NULL,
  PRIMARY KEY (tenant, message)
) STRICT, WITHOUT ROWID;
CREATE TABLE waiting (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  json   TEXT NOT NULL
) STRICT;
PRAGMA user_version = 1;
)sql";

Result<std::int64_t> one_number(sql::Connection& database, const char* literal) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows, database.query(literal));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  return row ? rows.integer(0) : 0;
}

}  // namespace

Result<std::unique_ptr<ToldRegister>> ToldRegister::open(const std::string& path,
                                                         bool for_program) {
  MELDEVAKT_TRY_ASSIGN(std::unique_ptr<sql::Connection> database,
                       sql::Connection::open(path, "", sql::Connection::Mode::kWriter));
  sql::Connection& db = *database;
  // Without a log beside it: one writer, nobody reads meanwhile.
  MELDEVAKT_TRY(db.execute("PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;"));
  MELDEVAKT_TRY_ASSIGN(const std::int64_t version, one_number(db, "PRAGMA user_version"));
  if (version > kVersion) {
    return Error{Errc::kInvalid, path +
                                     " was made by a newer version; move it away, and what is "
                                     "open is told once more"};
  }
  if (version == 0) {
    MELDEVAKT_TRY(sql::transaction(db, [&] { return db.execute(kTables); }));
  }
  if (!for_program) {
    MELDEVAKT_TRY(sql::transaction(db, [&] { return db.run("DELETE FROM waiting"); }));
  }
  return std::unique_ptr<ToldRegister>{new ToldRegister{std::move(database), for_program}};
}

Result<ToldRegister::OfTenant> ToldRegister::of(const std::string& tenant) {
  OfTenant out;
  MELDEVAKT_TRY_ASSIGN(
      sql::Rows rows,
      database_->query("SELECT message, state, needs_action FROM told WHERE tenant = ?",
                       {std::string_view{tenant}}));
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) return out;
    out[rows.text(0)] = {rows.text(1), rows.integer(2) != 0};
  }
}

Status ToldRegister::add_one(const LiveFinding& finding, Instant now, std::uint64_t& waiting) {
  MELDEVAKT_TRY(
      database_->run("INSERT OR REPLACE INTO told (tenant, message, state, needs_action, told)"
                     " VALUES (?, ?, ?, ?, ?)",
                     {std::string_view{finding.tenant}, std::string_view{finding.message},
                      std::string_view{finding.told.state}, std::int64_t{finding.told.needs_action},
                      sql::value(now)}));
  if (!for_program_ || waiting >= kWaitingMax) return {};
  ++waiting;
  return database_->run("INSERT INTO waiting (json) VALUES (?)", {std::string_view{finding.json}});
}

Result<std::uint64_t> ToldRegister::add(const std::vector<LiveFinding>& findings, Instant now) {
  std::uint64_t refused = 0;
  const Status done = sql::transaction(*database_, [&]() -> Status {
    MELDEVAKT_TRY_ASSIGN(const std::int64_t before,
                         one_number(*database_, "SELECT count(*) FROM waiting"));
    auto waiting = static_cast<std::uint64_t>(before);
    for (const LiveFinding& finding : findings) {
      if (for_program_ && waiting >= kWaitingMax) ++refused;
      MELDEVAKT_TRY(add_one(finding, now, waiting));
    }
    return {};
  });
  if (!done) return done.error();
  return refused;
}

Status ToldRegister::forget_old(Instant now) {
  // A clock that was set back makes it look again.
  if (forgot_ && *forgot_ <= now && now - *forgot_ < kForgetEvery) return {};
  forgot_ = now;
  const std::string waits_since = to_rfc3339(now - kClosedKept);
  return sql::transaction(*database_, [&]() -> Status {
    MELDEVAKT_TRY(database_->run("DELETE FROM told WHERE needs_action = 0 AND told < ?",
                                 {sql::value(now - kClosedKept)}));
    MELDEVAKT_TRY(database_->run("DELETE FROM told WHERE told < ?", {sql::value(now - kOpenKept)}));
    return database_->run("DELETE FROM waiting WHERE json_extract(json, '$.told') < ?",
                          {std::string_view{waits_since}});
  });
}

Result<std::optional<ToldRegister::Waiting>> ToldRegister::waiting() {
  MELDEVAKT_TRY_ASSIGN(
      sql::Rows rows, database_->query("SELECT number, json FROM waiting ORDER BY number LIMIT 1"));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  if (!row) return std::optional<Waiting>{};
  return std::optional{Waiting{rows.integer(0), rows.text(1)}};
}

Status ToldRegister::given(std::int64_t number) {
  return sql::transaction(
      *database_, [&] { return database_->run("DELETE FROM waiting WHERE number = ?", {number}); });
}

}  // namespace meldevakt::collector
