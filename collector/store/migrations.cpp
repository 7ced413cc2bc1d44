#include "collector/store/migrations.h"

#include <array>
#include <string>

namespace meldevakt::collector {
namespace {

// Step 1: the ledger and what stands around it. Times are UTC milliseconds, hashes 32 raw bytes.
constexpr const char* kStep1 = R"sql(
CREATE TABLE tenants (
  tenant       TEXT NOT NULL PRIMARY KEY,
  name         TEXT NOT NULL UNIQUE,
  organisation TEXT NOT NULL,
  created      INTEGER NOT NULL,
  ledger_next  INTEGER NOT NULL DEFAULT 0 CHECK (ledger_next >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE invitations (
  tenant     TEXT NOT NULL REFERENCES tenants (tenant),
  token_hash BLOB NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
  expires    INTEGER NOT NULL,
  used_at    INTEGER,
  used_by    TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE agents (
  tenant        TEXT NOT NULL REFERENCES tenants (tenant),
  agent         TEXT NOT NULL PRIMARY KEY,
  public_key    BLOB NOT NULL CHECK (length(public_key) = 32),
  tls_key       BLOB NOT NULL CHECK (length(tls_key) = 32),
  enrolment     BLOB NOT NULL,
  first         INTEGER NOT NULL CHECK (first IN (0, 1)),
  enrolled      INTEGER NOT NULL,
  last_received INTEGER,
  head_epoch    INTEGER NOT NULL CHECK (head_epoch >= 0),
  head_next     INTEGER NOT NULL CHECK (head_next >= 0),
  head_link     BLOB NOT NULL CHECK (length(head_link) = 32),
  head_until    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX agents_of_tenant ON agents (tenant, agent);

CREATE TABLE ledger (
  tenant   TEXT NOT NULL REFERENCES tenants (tenant),
  idx      INTEGER NOT NULL CHECK (idx >= 0),
  agent    TEXT NOT NULL REFERENCES agents (agent),
  epoch    INTEGER NOT NULL CHECK (epoch >= 0),
  sequence INTEGER NOT NULL CHECK (sequence >= 0),
  link     BLOB NOT NULL CHECK (length(link) = 32),
  received INTEGER NOT NULL,
  envelope BLOB NOT NULL,
  PRIMARY KEY (tenant, idx),
  UNIQUE (tenant, agent, epoch, sequence)
) STRICT;

CREATE TABLE bodies (
  tenant   TEXT NOT NULL,
  idx      INTEGER NOT NULL,
  position INTEGER NOT NULL CHECK (position >= 0),
  packed   BLOB NOT NULL,
  PRIMARY KEY (tenant, idx, position),
  FOREIGN KEY (tenant, idx) REFERENCES ledger (tenant, idx)
) STRICT;

CREATE TABLE evidence_forks (
  tenant   TEXT NOT NULL REFERENCES tenants (tenant),
  agent    TEXT NOT NULL REFERENCES agents (agent),
  epoch    INTEGER NOT NULL CHECK (epoch >= 0),
  sequence INTEGER NOT NULL CHECK (sequence >= 0),
  link     BLOB NOT NULL CHECK (length(link) = 32),
  received INTEGER NOT NULL,
  envelope BLOB NOT NULL,
  PRIMARY KEY (tenant, agent, epoch, sequence, link)
) STRICT;

CREATE TABLE alarms (
  tenant TEXT NOT NULL,
  agent  TEXT NOT NULL,
  kind   TEXT NOT NULL,
  detail TEXT NOT NULL,
  time   INTEGER NOT NULL,
  PRIMARY KEY (tenant, agent, kind, detail)
) STRICT, WITHOUT ROWID;

CREATE TABLE receipts (
  tenant     TEXT NOT NULL REFERENCES tenants (tenant),
  portal     TEXT NOT NULL,
  message_id TEXT NOT NULL,
  version    INTEGER NOT NULL CHECK (version >= 1),
  imported   INTEGER NOT NULL,
  sent       INTEGER,
  confirmed  INTEGER,
  form       TEXT NOT NULL,
  channel    TEXT NOT NULL,
  district   TEXT NOT NULL,
  PRIMARY KEY (tenant, portal, message_id, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE receipt_coverage (
  tenant   TEXT NOT NULL REFERENCES tenants (tenant),
  portal   TEXT NOT NULL,
  from_ms  INTEGER NOT NULL,
  until_ms INTEGER NOT NULL CHECK (until_ms > from_ms),
  imported INTEGER NOT NULL,
  PRIMARY KEY (tenant, portal, from_ms, until_ms)
) STRICT, WITHOUT ROWID;

PRAGMA application_id = 1297500977;
PRAGMA user_version = 1;
)sql";
static_assert(kApplicationId == 1297500977);

// Step 2: a transparency log a tenant. Of the entries only those stand here whose bytes are nowhere
// else; a writer fills the logs of tenants that were there before (catch_up_logs).
constexpr const char* kStep2 = R"sql(
CREATE TABLE logs (
  tenant TEXT NOT NULL PRIMARY KEY REFERENCES tenants (tenant),
  origin TEXT NOT NULL,
  size   INTEGER NOT NULL CHECK (size >= 0),
  root   BLOB NOT NULL CHECK (length(root) = 32),
  peaks  BLOB NOT NULL CHECK (length(peaks) % 32 = 0),
  note   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE log_entries (
  tenant     TEXT NOT NULL REFERENCES logs (tenant),
  idx        INTEGER NOT NULL CHECK (idx >= 0),
  kind       TEXT NOT NULL,
  time       INTEGER NOT NULL,
  ledger_idx INTEGER,
  agent      TEXT,
  entry      BLOB,
  PRIMARY KEY (tenant, idx),
  CHECK ((ledger_idx IS NOT NULL) + (agent IS NOT NULL) + (entry IS NOT NULL) = 1)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX log_statements ON log_entries (tenant, ledger_idx) WHERE ledger_idx IS NOT NULL;

CREATE TABLE log_hashes (
  tenant   TEXT NOT NULL REFERENCES logs (tenant),
  level    INTEGER NOT NULL CHECK (level >= 0),
  position INTEGER NOT NULL CHECK (position >= 0),
  hash     BLOB NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (tenant, level, position)
) STRICT, WITHOUT ROWID;

ALTER TABLE receipts ADD COLUMN log_idx INTEGER;

PRAGMA user_version = 2;
)sql";

// Step 3: what is known of tenants beside their messages, and the controls that ran.
constexpr const char* kStep3 = R"sql(
CREATE TABLE registry (
  tenant   TEXT NOT NULL REFERENCES tenants (tenant),
  entry    INTEGER NOT NULL CHECK (entry >= 0),
  kind     TEXT NOT NULL,
  value    TEXT NOT NULL,
  label    TEXT NOT NULL,
  from_ms  INTEGER NOT NULL,
  until_ms INTEGER NOT NULL CHECK (until_ms >= from_ms),
  recorded INTEGER NOT NULL,
  PRIMARY KEY (tenant, entry)
) STRICT, WITHOUT ROWID;

CREATE TABLE controls (
  tenant   TEXT NOT NULL REFERENCES tenants (tenant),
  number   INTEGER NOT NULL CHECK (number >= 0),
  link     BLOB NOT NULL CHECK (length(link) = 32),
  ran      INTEGER NOT NULL,
  envelope BLOB NOT NULL,
  PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 3;
)sql";

// Step 4: what people tell; and whatever a log did not tell of yet gets a place for its entry,
// which a writer fills (catch_up_logs).
constexpr const char* kStep4 = R"sql(
CREATE TABLE told (
  tenant   TEXT NOT NULL REFERENCES tenants (tenant),
  number   INTEGER NOT NULL CHECK (number >= 0),
  recorded INTEGER NOT NULL,
  person   TEXT NOT NULL,
  entry    BLOB NOT NULL,
  log_idx  INTEGER NOT NULL,
  PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

ALTER TABLE registry ADD COLUMN log_idx INTEGER;
ALTER TABLE controls ADD COLUMN log_idx INTEGER;
ALTER TABLE alarms ADD COLUMN closed INTEGER;

PRAGMA user_version = 4;
)sql";

// Step 5: whatever is stored is told of by its log, without exception (catch_up_logs fills what was
// stored before), and found by the entry that tells of it; what may name people is salted there.
constexpr const char* kStep5 = R"sql(
ALTER TABLE told ADD COLUMN salt BLOB CHECK (length(salt) = 16);
ALTER TABLE registry ADD COLUMN salt BLOB CHECK (length(salt) = 16);
ALTER TABLE controls ADD COLUMN salt BLOB CHECK (length(salt) = 16);

CREATE INDEX receipts_of_entry ON receipts (tenant, log_idx);
CREATE INDEX registry_of_entry ON registry (tenant, log_idx);
CREATE INDEX controls_of_entry ON controls (tenant, log_idx);
CREATE INDEX told_of_entry ON told (tenant, log_idx);
CREATE INDEX log_kinds ON log_entries (tenant, kind, idx) WHERE entry IS NOT NULL;

PRAGMA user_version = 5;
)sql";

constexpr std::array<const char*, kSchemaVersion> kSteps = {kStep1, kStep2, kStep3, kStep4, kStep5};

Result<int> integer_of(sql::Connection& connection, const char* pragma) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows, connection.query(pragma));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  if (!row) return Error{Errc::kCorrupt, std::string(pragma) + " has no answer"};
  return static_cast<int>(rows.integer(0));
}

Result<int> version_of(sql::Connection& connection) {
  MELDEVAKT_TRY_ASSIGN(const int version, integer_of(connection, "PRAGMA user_version"));
  MELDEVAKT_TRY_ASSIGN(const int application, integer_of(connection, "PRAGMA application_id"));
  if (version != 0 && application != kApplicationId) {
    return Error{Errc::kInvalid, "this is not a database of meldevakt-collector"};
  }
  if (version > kSchemaVersion) {
    return Error{Errc::kInvalid, "the database has schema version " + std::to_string(version) +
                                     ", this program knows up to " +
                                     std::to_string(kSchemaVersion) + ": install the newer one"};
  }
  return version;
}

}  // namespace

Result<int> migrate(sql::Connection& connection) {
  MELDEVAKT_TRY_ASSIGN(const int version, version_of(connection));
  for (std::size_t step = static_cast<std::size_t>(version); step < kSteps.size(); ++step) {
    MELDEVAKT_TRY(connection.execute(kSteps[step]));
  }
  return version;
}

Status check_version(sql::Connection& connection) {
  MELDEVAKT_TRY_ASSIGN(const int version, version_of(connection));
  if (version == kSchemaVersion) return {};
  return Error{Errc::kInvalid,
               "the database has schema version " + std::to_string(version) +
                   ": run 'meldevakt-collector init' or start 'serve' once, which bring it to " +
                   std::to_string(kSchemaVersion)};
}

}  // namespace meldevakt::collector
