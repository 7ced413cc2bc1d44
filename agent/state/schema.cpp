#include "agent/state/schema.h"

#include <array>
#include <cstddef>
#include <string>

namespace meldevakt::agent {
namespace {

// Blobs of 32 bytes are SHA-256 values. `statements` is outbox and journal in one: a row is in the
// outbox until acknowledged_ms is set, and remains as journal afterwards.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE tenants (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, agent TEXT NOT NULL, collector TEXT NOT NULL,
  files TEXT NOT NULL, enrolled_ms INTEGER NOT NULL, enrolment_link BLOB NOT NULL,
  epoch INTEGER NOT NULL, next_sequence INTEGER NOT NULL, link BLOB NOT NULL,
  until_ms INTEGER NOT NULL, boot_id TEXT NOT NULL, boot_ns INTEGER NOT NULL,
  lives TEXT NOT NULL
) STRICT;
CREATE TABLE files (
  source TEXT NOT NULL, key TEXT NOT NULL, device INTEGER NOT NULL, inode INTEGER NOT NULL,
  head BLOB NOT NULL, head_bytes INTEGER NOT NULL, tail BLOB NOT NULL, tail_bytes INTEGER NOT NULL,
  offset INTEGER NOT NULL, path TEXT NOT NULL, state INTEGER NOT NULL,
  PRIMARY KEY (source, key)
) STRICT;
CREATE TABLE pipelines (
  tenant TEXT NOT NULL, source TEXT NOT NULL, snapshot BLOB NOT NULL, coverage TEXT NOT NULL,
  updated_ms INTEGER NOT NULL,
  PRIMARY KEY (tenant, source)
) STRICT;
CREATE TABLE statements (
  tenant TEXT NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL,
  link BLOB NOT NULL, sealed_ms INTEGER NOT NULL, frame BLOB NOT NULL, frame_bytes INTEGER NOT NULL,
  acknowledged_ms INTEGER,
  PRIMARY KEY (tenant, epoch, sequence)
) STRICT;
CREATE INDEX outbox ON statements (tenant, epoch, sequence, frame_bytes)
  WHERE acknowledged_ms IS NULL;
CREATE INDEX journal ON statements (sealed_ms, frame_bytes) WHERE acknowledged_ms IS NOT NULL;
CREATE TABLE findings (
  id TEXT PRIMARY KEY, tenant TEXT NOT NULL, kind INTEGER NOT NULL, refs TEXT NOT NULL,
  time_ms INTEGER NOT NULL, source TEXT NOT NULL, code TEXT NOT NULL, sentence TEXT NOT NULL,
  found_ms INTEGER NOT NULL, told_ms INTEGER
) STRICT;
CREATE INDEX findings_untold ON findings (found_ms) WHERE told_ms IS NULL;
PRAGMA user_version = 1;
)sql";

// What was written to a file between being copied and being truncated is lost (FileEnd::kCut).
constexpr const char* kVersion2 = R"sql(
ALTER TABLE files ADD COLUMN cut INTEGER NOT NULL DEFAULT 0;
PRAGMA user_version = 2;
)sql";

// Readers of a journal or an event log have a place of their own (KnownFile::cursor).
constexpr const char* kVersion3 = R"sql(
ALTER TABLE files ADD COLUMN cursor TEXT NOT NULL DEFAULT '';
PRAGMA user_version = 3;
)sql";

// What `status` shows of the process itself and of its reading (agent/app), one JSON value a topic.
constexpr const char* kVersion4 = R"sql(
CREATE TABLE status (
  topic TEXT PRIMARY KEY, json TEXT NOT NULL, updated_ms INTEGER NOT NULL
) STRICT;
PRAGMA user_version = 4;
)sql";

// What is held of the log around findings (agent/hold). `detail` is JSON; a mark is a place in a
// file and the newest event time before it.
constexpr const char* kVersion5 = R"sql(
CREATE TABLE holds (id TEXT PRIMARY KEY, state TEXT NOT NULL, number INTEGER NOT NULL,
  detail TEXT NOT NULL) STRICT;
CREATE TABLE hold_parts (
  hold TEXT NOT NULL, number INTEGER NOT NULL, source TEXT NOT NULL, key TEXT NOT NULL,
  path TEXT NOT NULL, from_byte INTEGER NOT NULL, to_byte INTEGER NOT NULL, plain BLOB NOT NULL,
  stored BLOB NOT NULL, stored_bytes INTEGER NOT NULL,
  PRIMARY KEY (hold, number)
) STRICT;
CREATE TABLE hold_marks (
  source TEXT NOT NULL, key TEXT NOT NULL, offset INTEGER NOT NULL, time_ms INTEGER NOT NULL,
  PRIMARY KEY (source, key, offset)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 5;
)sql";

// The collector's log as it was seen, and the proof that a statement stands in it (TenantRow::log).
constexpr const char* kVersion6 = R"sql(
ALTER TABLE tenants ADD COLUMN log_key TEXT NOT NULL DEFAULT '';
ALTER TABLE tenants ADD COLUMN log_size INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tenants ADD COLUMN log_root BLOB;
ALTER TABLE tenants ADD COLUMN log_checkpoint TEXT NOT NULL DEFAULT '';
ALTER TABLE tenants ADD COLUMN log_fault TEXT NOT NULL DEFAULT '';
ALTER TABLE statements ADD COLUMN proof TEXT NOT NULL DEFAULT '';
PRAGMA user_version = 6;
)sql";

// Whether on_finding's program has had a finding, which may be long after it was told in the log.
constexpr const char* kVersion7 = R"sql(
ALTER TABLE findings ADD COLUMN given_ms INTEGER;
UPDATE findings SET given_ms = told_ms;
CREATE INDEX findings_ungiven ON findings (found_ms) WHERE given_ms IS NULL;
PRAGMA user_version = 7;
)sql";

// From each version to the next.
constexpr std::array kSteps{kVersion1, kVersion2, kVersion3, kVersion4,
                            kVersion5, kVersion6, kVersion7};
static_assert(kSteps.size() == kStateVersion);

}  // namespace

Status migrate(Database& db) {
  MELDEVAKT_TRY_ASSIGN(const std::int64_t version, db.number("PRAGMA user_version"));
  if (version == kStateVersion) return {};
  if (version > kStateVersion) {
    return Error{Errc::kInvalid, "was written by a newer version of the agent (format " +
                                     std::to_string(version) + "); install that version again"};
  }
  MELDEVAKT_TRY(db.execute("BEGIN IMMEDIATE"));
  for (auto step = static_cast<std::size_t>(version); step < kSteps.size(); ++step) {
    if (auto done = db.execute(kSteps[step]); !done) {
      static_cast<void>(db.execute("ROLLBACK"));
      return done;
    }
  }
  return db.execute("COMMIT");
}

Status check_version(Database& db) {
  MELDEVAKT_TRY_ASSIGN(const std::int64_t version, db.number("PRAGMA user_version"));
  if (version == kStateVersion) return {};
  return Error{Errc::kInvalid, "has format " + std::to_string(version) + ", not " +
                                   std::to_string(kStateVersion) + ", of this agent"};
}

Status check_integrity(Database& db) {
  MELDEVAKT_TRY_ASSIGN(Query check, db.prepare("PRAGMA quick_check(1)"));
  MELDEVAKT_TRY_ASSIGN(const bool row, check.step());
  const std::string words = row ? check.text(0) : "no answer";
  if (words == "ok") return {};
  return Error{Errc::kCorrupt, "damaged: " + words};
}

}  // namespace meldevakt::agent
