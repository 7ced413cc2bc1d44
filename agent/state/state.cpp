#include "agent/state/state.h"

#include <utility>

#include "agent/state/schema.h"

namespace meldevakt::agent {
namespace {

std::int64_t i64(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

// How many journal rows one commit drops at most, so that a commit stays short.
constexpr const char* kTrimByAge =
    "DELETE FROM statements WHERE rowid IN (SELECT rowid FROM statements WHERE acknowledged_ms IS "
    "NOT NULL AND sealed_ms < ? ORDER BY sealed_ms LIMIT 100)";
constexpr const char* kTrimBySize =
    "DELETE FROM statements WHERE rowid IN (SELECT rowid FROM statements WHERE acknowledged_ms IS "
    "NOT NULL ORDER BY sealed_ms LIMIT 100)";

}  // namespace

Result<std::unique_ptr<State>> State::open(const std::string& uri, Options options) {
  auto db = Database::open(uri, Access::kWrite);
  if (!db) return std::move(db).error().in(uri);
  if (auto sound = check_integrity(db.value()); !sound) {
    return std::move(sound).error().in(uri);
  }
  if (auto done = migrate(db.value()); !done) return std::move(done).error().in(uri);
  std::unique_ptr<State> state{new State{std::move(db).value(), options}};
  MELDEVAKT_TRY_ASSIGN(state->outbox_, read_outbox_size(state->db_));
  return state;
}

Status State::transaction(const std::function<Status()>& body) {
  if (spent_) return Error{Errc::kIo, "state.db must be opened again after an error"};
  const OutboxSize before = outbox_;
  Status done = db_.execute("BEGIN IMMEDIATE");
  if (done) done = body();
  if (done) done = db_.execute("COMMIT");
  if (done) return {};
  static_cast<void>(db_.execute("ROLLBACK"));
  outbox_ = before;
  if (done.error().code() != Errc::kLimit) spent_ = true;
  return std::move(done).error().in("state.db");
}

Status State::commit(const StateChange& change) {
  return transaction([&] { return in_transaction(change); });
}

Status State::in_transaction(const StateChange& change) {
  for (const auto& [source, changes] : change.files) {
    MELDEVAKT_TRY(write_files(source, changes));
  }
  MELDEVAKT_TRY(write_pipelines(change));
  MELDEVAKT_TRY(write_chains(change));
  MELDEVAKT_TRY(write_statements(change));
  MELDEVAKT_TRY(write_findings(change));
  MELDEVAKT_TRY(write_acknowledged(change));
  MELDEVAKT_TRY(write_log(change));
  MELDEVAKT_TRY(write_status(change));
  MELDEVAKT_TRY(write_holds(db_, change.hold));
  if (!change.acknowledged.empty()) return trim_journal(change.now);
  return {};
}

Status State::write_files(const std::string& source, const FileChanges& changes) {
  for (const std::string& key : changes.forgotten) {
    MELDEVAKT_TRY_ASSIGN(Query gone, db_.prepare("DELETE FROM files WHERE source = ? AND key = ?"));
    MELDEVAKT_TRY(gone.bind(1, source).bind(2, key).run());
  }
  for (const KnownFile& file : changes.changed) {
    MELDEVAKT_TRY_ASSIGN(
        Query row, db_.prepare("INSERT OR REPLACE INTO files (source, key, device, inode, head, "
                               "head_bytes, tail, tail_bytes, offset, path, state, cut, cursor) "
                               "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    row.bind(1, source).bind(2, file.key).bind(3, i64(file.device)).bind(4, i64(file.inode));
    row.bind_blob(5, file.head.view()).bind(6, file.head_bytes);
    row.bind_blob(7, file.tail.view()).bind(8, file.tail_bytes).bind(9, i64(file.offset));
    row.bind(10, file.path).bind(11, static_cast<std::int64_t>(file.state));
    row.bind(12, std::int64_t{file.cut ? 1 : 0}).bind(13, file.cursor);
    MELDEVAKT_TRY(row.run());
  }
  return {};
}

Status State::write_pipelines(const StateChange& change) {
  for (const PipelineRow& pipeline : change.pipelines) {
    MELDEVAKT_TRY_ASSIGN(
        Query row,
        db_.prepare("INSERT INTO pipelines (tenant, source, snapshot, coverage, updated_ms) VALUES "
                    "(?1, ?2, ?3, '', ?4) ON CONFLICT (tenant, source) DO UPDATE SET snapshot = "
                    "?3, updated_ms = ?4"));
    row.bind(1, pipeline.tenant).bind(2, pipeline.source).bind_blob(3, pipeline.snapshot);
    row.bind(4, change.now.ms);
    MELDEVAKT_TRY(row.run());
  }
  for (const CoverageText& text : change.coverage) {
    MELDEVAKT_TRY_ASSIGN(
        Query row,
        db_.prepare("UPDATE pipelines SET coverage = ? WHERE tenant = ? AND source = ?"));
    MELDEVAKT_TRY(row.bind(1, text.json).bind(2, text.tenant).bind(3, text.source).run());
  }
  for (const Lives& lives : change.lives) {
    MELDEVAKT_TRY_ASSIGN(Query row, db_.prepare("UPDATE tenants SET lives = ? WHERE id = ?"));
    MELDEVAKT_TRY(row.bind(1, lives.snapshot).bind(2, lives.tenant).run());
  }
  return {};
}

Status State::write_chains(const StateChange& change) {
  for (const ChainStep& step : change.chains) {
    MELDEVAKT_TRY_ASSIGN(
        Query row,
        db_.prepare("UPDATE tenants SET epoch = ?, next_sequence = ?, link = ?, until_ms = ?, "
                    "boot_id = ?, boot_ns = ? WHERE id = ? AND epoch = ? AND next_sequence = ? AND "
                    "link = ?"));
    row.bind(1, i64(step.after.epoch)).bind(2, i64(step.after.next_sequence));
    row.bind_blob(3, step.after.link.view()).bind(4, step.after.until.ms);
    row.bind(5, step.boot_id).bind(6, step.boot_ns).bind(7, step.tenant);
    row.bind(8, i64(step.before.epoch)).bind(9, i64(step.before.next_sequence));
    row.bind_blob(10, step.before.link.view());
    MELDEVAKT_TRY(row.run());
    if (db_.changed_rows() != 1) {
      return Error{Errc::kExists, "the chain of tenant " + step.tenant +
                                      " has moved on under us; is a second agent running?"};
    }
  }
  return {};
}

Status State::write_statements(const StateChange& change) {
  for (const StatementRow& statement : change.statements) {
    if (outbox_.bytes + statement.frame.size() > options_.outbox_bytes_max) {
      return Error{
          Errc::kLimit,
          "the outbox is full (" + std::to_string(options_.outbox_bytes_max / 1'000'000) + " MB)"};
    }
    MELDEVAKT_TRY_ASSIGN(
        Query row, db_.prepare("INSERT INTO statements (tenant, epoch, sequence, link, "
                               "sealed_ms, frame, frame_bytes) VALUES (?, ?, ?, ?, ?, ?, ?)"));
    row.bind(1, statement.tenant).bind(2, i64(statement.epoch)).bind(3, i64(statement.sequence));
    row.bind_blob(4, statement.link.view()).bind(5, statement.sealed.ms);
    row.bind_blob(6, statement.frame).bind(7, i64(statement.frame.size()));
    MELDEVAKT_TRY(row.run());
    ++outbox_.statements;
    outbox_.bytes += statement.frame.size();
  }
  return {};
}

Status State::write_findings(const StateChange& change) {
  for (const FindingRow& found : change.findings) {
    std::string references;
    for (const Reference& reference : found.finding.references) {
      references.append(references.empty() ? "" : " ").append(to_string(reference.type));
      references.append("=").append(reference.value);
    }
    MELDEVAKT_TRY_ASSIGN(Query row,
                         db_.prepare("INSERT OR IGNORE INTO findings (id, tenant, kind, refs, "
                                     "time_ms, source, code, sentence, found_ms) VALUES (?, ?, ?, "
                                     "?, ?, ?, ?, ?, ?)"));
    row.bind(1, found.id).bind(2, found.tenant);
    row.bind(3, static_cast<std::int64_t>(found.finding.kind)).bind(4, references);
    row.bind(5, found.finding.time.ms).bind(6, found.finding.source).bind(7, found.finding.code);
    row.bind(8, found.finding.sentence).bind(9, change.now.ms);
    MELDEVAKT_TRY(row.run());
  }
  for (const std::string& id : change.told) {
    MELDEVAKT_TRY_ASSIGN(Query row, db_.prepare("UPDATE findings SET told_ms = ? WHERE id = ?"));
    MELDEVAKT_TRY(row.bind(1, change.now.ms).bind(2, id).run());
  }
  for (const std::string& id : change.given) {
    MELDEVAKT_TRY_ASSIGN(Query row, db_.prepare("UPDATE findings SET given_ms = ? WHERE id = ?"));
    MELDEVAKT_TRY(row.bind(1, change.now.ms).bind(2, id).run());
  }
  if (!change.findings.empty()) {
    MELDEVAKT_TRY_ASSIGN(
        Query old, db_.prepare("DELETE FROM findings WHERE told_ms < ? AND given_ms IS NOT NULL"));
    MELDEVAKT_TRY(old.bind(1, change.now.ms - kFindingAgeMax.ms).run());
  }
  return {};
}

Status State::write_acknowledged(const StateChange& change) {
  for (const Acknowledgement& one : change.acknowledged) {
    MELDEVAKT_TRY_ASSIGN(Query row,
                         db_.prepare("UPDATE statements SET acknowledged_ms = coalesce("
                                     "acknowledged_ms, ?1), proof = iif(?2 = '', proof, ?2) WHERE "
                                     "tenant = ?3 AND epoch = ?4 AND sequence = ?5"));
    row.bind(1, change.now.ms).bind(2, one.proof).bind(3, one.tenant);
    MELDEVAKT_TRY(row.bind(4, i64(one.epoch)).bind(5, i64(one.sequence)).run());
  }
  if (!change.acknowledged.empty()) {
    MELDEVAKT_TRY_ASSIGN(outbox_, read_outbox_size(db_));
  }
  return {};
}

Status State::write_log(const StateChange& change) {
  for (const Acknowledgement& one : change.acknowledged) {
    if (!one.log) continue;
    MELDEVAKT_TRY_ASSIGN(Query row,
                         db_.prepare("UPDATE tenants SET log_key = ?, log_size = ?, log_root = ?, "
                                     "log_checkpoint = ? WHERE id = ?"));
    row.bind(1, one.log->key).bind(2, i64(one.log->size)).bind_blob(3, one.log->root.view());
    MELDEVAKT_TRY(row.bind(4, one.log->checkpoint).bind(5, one.tenant).run());
  }
  for (const LogFault& fault : change.log_faults) {
    MELDEVAKT_TRY_ASSIGN(Query row, db_.prepare("UPDATE tenants SET log_fault = ? WHERE id = ? AND "
                                                "log_fault = ''"));
    MELDEVAKT_TRY(row.bind(1, fault.text).bind(2, fault.tenant).run());
  }
  return {};
}

Status State::write_status(const StateChange& change) {
  for (const StatusText& one : change.status) {
    MELDEVAKT_TRY_ASSIGN(Query row, db_.prepare("INSERT OR REPLACE INTO status (topic, json, "
                                                "updated_ms) VALUES (?, ?, ?)"));
    MELDEVAKT_TRY(row.bind(1, one.topic).bind(2, one.json).bind(3, change.now.ms).run());
  }
  return {};
}

Status State::trim_journal(Instant now) {
  MELDEVAKT_TRY_ASSIGN(Query by_age, db_.prepare(kTrimByAge));
  MELDEVAKT_TRY(by_age.bind(1, now.ms - kJournalAgeMax.ms).run());
  MELDEVAKT_TRY_ASSIGN(const std::int64_t bytes,
                       db_.number("SELECT coalesce(sum(frame_bytes + length(proof)), 0) FROM "
                                  "statements WHERE acknowledged_ms IS NOT NULL"));
  if (bytes <= i64(options_.journal_bytes_max)) return {};
  return db_.execute(kTrimBySize);
}

Status State::acknowledged(const std::string& tenant, std::uint64_t epoch, std::uint64_t sequence,
                           Instant now) {
  StateChange change;
  change.now = now;
  change.acknowledged.push_back({tenant, epoch, sequence, "", {}});
  return commit(change);
}

Status State::keep_new(std::vector<FindingRow>& findings) {
  std::vector<FindingRow> unknown;
  for (FindingRow& found : findings) {
    MELDEVAKT_TRY_ASSIGN(Query row, db_.prepare("SELECT 1 FROM findings WHERE id = ?"));
    MELDEVAKT_TRY_ASSIGN(const bool known, row.bind(1, found.id).step());
    if (!known) unknown.push_back(std::move(found));
  }
  findings = std::move(unknown);
  return {};
}

Status State::add_tenant(const TenantRow& tenant) {
  return transaction([&]() -> Status {
    MELDEVAKT_TRY_ASSIGN(
        Query row,
        db_.prepare(
            "INSERT INTO tenants (id, name, agent, collector, files, enrolled_ms, "
            "enrolment_link, epoch, next_sequence, link, until_ms, boot_id, boot_ns, lives) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '')"));
    row.bind(1, tenant.id).bind(2, tenant.name).bind(3, tenant.agent).bind(4, tenant.collector);
    row.bind(5, tenant.files).bind(6, tenant.enrolled.ms);
    row.bind_blob(7, tenant.enrolment_link.view()).bind(8, i64(tenant.head.epoch));
    row.bind(9, i64(tenant.head.next_sequence)).bind_blob(10, tenant.head.link.view());
    row.bind(11, tenant.head.until.ms).bind(12, tenant.boot_id).bind(13, tenant.boot_ns);
    return row.run();
  });
}

Status State::keep_log_key(const std::string& tenant, const std::string& key) {
  return transaction([&]() -> Status {
    MELDEVAKT_TRY_ASSIGN(Query row, db_.prepare("UPDATE tenants SET log_key = ?1 WHERE id = ?2 AND "
                                                "log_key IN ('', ?1)"));
    MELDEVAKT_TRY(row.bind(1, key).bind(2, tenant).run());
    if (db_.changed_rows() == 1) return {};
    return Error{Errc::kExists, "another key of the collector's log is kept"};
  });
}

Status State::start_over(const std::string& source) {
  return transaction([&]() -> Status {
    MELDEVAKT_TRY_ASSIGN(Query files,
                         db_.prepare("DELETE FROM files WHERE source = ? AND state = 0"));
    MELDEVAKT_TRY(files.bind(1, source).run());
    MELDEVAKT_TRY_ASSIGN(Query marks, db_.prepare("DELETE FROM hold_marks WHERE source = ?"));
    MELDEVAKT_TRY(marks.bind(1, source).run());
    MELDEVAKT_TRY_ASSIGN(Query rows, db_.prepare("DELETE FROM pipelines WHERE source = ?"));
    return rows.bind(1, source).run();
  });
}

Status State::keep_sources(const std::vector<std::string>& sources) {
  MELDEVAKT_TRY_ASSIGN(Loaded loaded, load());
  std::vector<std::string> gone;
  const auto unknown = [&](const std::string& name) {
    for (const std::string& source : sources) {
      if (source == name) return false;
    }
    return true;
  };
  for (const auto& [source, files] : loaded.files) {
    if (unknown(source)) gone.push_back(source);
  }
  for (const PipelineRow& pipeline : loaded.pipelines) {
    if (unknown(pipeline.source)) gone.push_back(pipeline.source);
  }
  if (gone.empty()) return {};
  return transaction([&]() -> Status {
    for (const std::string& source : gone) {
      for (const char* sql :
           {"DELETE FROM files WHERE source = ?", "DELETE FROM pipelines WHERE source = ?",
            "DELETE FROM hold_marks WHERE source = ?"}) {
        MELDEVAKT_TRY_ASSIGN(Query rows, db_.prepare(sql));
        MELDEVAKT_TRY(rows.bind(1, source).run());
      }
    }
    return {};
  });
}

Result<State::Loaded> State::load() {
  Loaded out;
  MELDEVAKT_TRY_ASSIGN(out.tenants, read_tenants(db_));
  MELDEVAKT_TRY_ASSIGN(out.pipelines, read_pipelines(db_));
  MELDEVAKT_TRY_ASSIGN(out.files, read_files(db_));
  MELDEVAKT_TRY_ASSIGN(out.untold, read_findings(db_, FindingsWhere::kUntold));
  MELDEVAKT_TRY_ASSIGN(out.status, read_status(db_));
  MELDEVAKT_TRY_ASSIGN(out.holds, read_holds(db_));
  return out;
}

Result<std::vector<FindingRow>> State::ungiven(std::size_t findings_max) {
  return read_findings(db_, FindingsWhere::kUngiven, findings_max);
}

Result<std::vector<StatementRow>> State::frames(const std::string& tenant, std::uint64_t epoch,
                                                std::uint64_t sequence, std::uint64_t bytes_max) {
  return read_outbox(db_, tenant, epoch, sequence, bytes_max);
}

Result<std::optional<Instant>> State::last_acknowledged(const std::string& tenant) {
  MELDEVAKT_TRY_ASSIGN(Query row,
                       db_.prepare("SELECT max(acknowledged_ms) FROM statements WHERE tenant = ?"));
  MELDEVAKT_TRY_ASSIGN(const bool there, row.bind(1, tenant).step());
  if (!there || row.is_null(0)) return std::optional<Instant>{};
  return std::optional<Instant>{Instant{row.number(0)}};
}

Result<std::pair<std::uint64_t, std::uint64_t>> State::outbox_begin(const std::string& tenant) {
  MELDEVAKT_TRY_ASSIGN(Query row,
                       db_.prepare("SELECT epoch, sequence FROM statements WHERE tenant = ? AND "
                                   "acknowledged_ms IS NULL ORDER BY epoch, sequence LIMIT 1"));
  MELDEVAKT_TRY_ASSIGN(const bool there, row.bind(1, tenant).step());
  if (there) {
    return std::pair{static_cast<std::uint64_t>(row.number(0)),
                     static_cast<std::uint64_t>(row.number(1))};
  }
  MELDEVAKT_TRY_ASSIGN(Query end,
                       db_.prepare("SELECT epoch, next_sequence FROM tenants WHERE id = ?"));
  MELDEVAKT_TRY_ASSIGN(const bool known, end.bind(1, tenant).step());
  if (!known) return Error{Errc::kNotFound, "no such tenant in the state"};
  return std::pair{static_cast<std::uint64_t>(end.number(0)),
                   static_cast<std::uint64_t>(end.number(1))};
}

Result<Database> open_state_for_reading(const std::string& path) {
  auto db = Database::open(path, Access::kRead);
  if (!db) return std::move(db).error().in(path);
  if (auto ours = check_version(db.value()); !ours) return std::move(ours).error().in(path);
  return db;
}

}  // namespace meldevakt::agent
