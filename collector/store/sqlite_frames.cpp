// store_frame, in the order that store.h promises.
#include "collector/store/records.h"
#include "collector/store/sqlite_log.h"
#include "collector/store/sqlite_store.h"

namespace meldevakt::collector {
namespace {

struct KnownLink {
  Sha256 link;
  std::uint64_t index = 0;
};

Result<std::optional<KnownLink>> find_link(sql::Connection& db, const Statement& statement,
                                           std::int64_t epoch, std::int64_t sequence) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows,
                       db.query("SELECT link, idx FROM ledger WHERE tenant = ? AND agent = ?"
                                " AND epoch = ? AND sequence = ?",
                                {statement.tenant, statement.agent, epoch, sequence}));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  if (!row) return std::optional<KnownLink>{};
  MELDEVAKT_TRY_ASSIGN(const Sha256 link, rows.hash(0));
  return std::optional<KnownLink>{KnownLink{link, rows.count(1)}};
}

// The tenant's next index, taken by compare-and-swap.
Result<std::int64_t> take_index(sql::Connection& db, const std::string& tenant) {
  std::int64_t index = 0;
  {
    MELDEVAKT_TRY_ASSIGN(sql::Rows rows,
                         db.query("SELECT ledger_next FROM tenants WHERE tenant = ?", {tenant}));
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) return Error{Errc::kCorrupt, "tenant " + tenant + " has agents but no row"};
    index = rows.integer(0);
  }
  MELDEVAKT_TRY(db.run("UPDATE tenants SET ledger_next = ? WHERE tenant = ? AND ledger_next = ?",
                       {index + 1, tenant, index}));
  if (db.changes() != 1) return Error{Errc::kCorrupt, "the ledger's end moved under us"};
  return index;
}

Status insert_frame(sql::Connection& db, const VerifiedFrame& verified, std::int64_t index,
                    Instant received) {
  const Statement& statement = verified.statement;
  MELDEVAKT_TRY_ASSIGN(const std::int64_t epoch, stored_number(statement.epoch));
  MELDEVAKT_TRY_ASSIGN(const std::int64_t sequence, stored_number(statement.sequence));
  MELDEVAKT_TRY(
      db.run("INSERT INTO ledger (tenant, idx, agent, epoch, sequence, link, received,"
             " envelope) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
             {statement.tenant, index, statement.agent, epoch, sequence, sql::value(verified.link),
              sql::value(received), sql::Blob{verified.frame.envelope}}));
  std::int64_t position = 0;
  for (const std::string& body : verified.frame.bodies) {
    MELDEVAKT_TRY(db.run("INSERT INTO bodies (tenant, idx, position, packed) VALUES (?, ?, ?, ?)",
                         {statement.tenant, index, position++, sql::Blob{body}}));
  }
  return {};
}

Status move_head(sql::Connection& db, const ChainHead& from, const VerifiedFrame& verified,
                 Instant received) {
  const ChainHead to = advance(verified.statement, verified.link);
  MELDEVAKT_TRY_ASSIGN(const std::int64_t from_epoch, stored_number(from.epoch));
  MELDEVAKT_TRY_ASSIGN(const std::int64_t from_next, stored_number(from.next_sequence));
  MELDEVAKT_TRY_ASSIGN(const std::int64_t epoch, stored_number(to.epoch));
  MELDEVAKT_TRY_ASSIGN(const std::int64_t next, stored_number(to.next_sequence));
  MELDEVAKT_TRY(
      db.run("UPDATE agents SET head_epoch = ?, head_next = ?, head_link = ?,"
             " head_until = ?, last_received = ? WHERE agent = ? AND head_epoch = ?"
             " AND head_next = ? AND head_link = ?",
             {epoch, next, sql::value(to.link), sql::value(to.until), sql::value(received),
              verified.statement.agent, from_epoch, from_next, sql::value(from.link)}));
  if (db.changes() != 1) return Error{Errc::kCorrupt, "the agent's head moved under us"};
  return {};
}

Result<std::uint64_t> forks_kept(sql::Connection& db, const Statement& statement) {
  MELDEVAKT_TRY_ASSIGN(
      sql::Rows rows, db.query("SELECT count(*) FROM evidence_forks WHERE tenant = ? AND agent = ?",
                               {statement.tenant, statement.agent}));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  return row ? rows.count(0) : 0;
}

// The other envelope and its alarm, together.
Status keep_fork(sql::Connection& db, const LogKey* key, const VerifiedFrame& verified,
                 Instant received) {
  const Statement& statement = verified.statement;
  MELDEVAKT_TRY_ASSIGN(const std::uint64_t kept, forks_kept(db, statement));
  if (kept >= SqliteStore::kForksKeptMax) {
    return record_alarm(db, key,
                        {statement.tenant, statement.agent, "fork_flood",
                         "more than " + std::to_string(SqliteStore::kForksKeptMax) +
                             " other envelopes; later ones are refused but not kept",
                         received});
  }
  MELDEVAKT_TRY_ASSIGN(const std::int64_t epoch, stored_number(statement.epoch));
  MELDEVAKT_TRY_ASSIGN(const std::int64_t sequence, stored_number(statement.sequence));
  MELDEVAKT_TRY(
      db.run("INSERT INTO evidence_forks (tenant, agent, epoch, sequence, link, received,"
             " envelope) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
             {statement.tenant, statement.agent, epoch, sequence, sql::value(verified.link),
              sql::value(received), sql::Blob{verified.frame.envelope}}));
  return record_alarm(db, key, fork_alarm(statement, verified.link, received));
}

Status note_ahead(sql::Connection& db, const LogKey* key, const ChainHead& head,
                  const Statement& statement, Instant received) {
  // Named by what is missing, not by what came: the agent asks again and again.
  return record_alarm(db, key,
                      {statement.tenant, statement.agent, "ahead",
                       "the agent is past epoch " + std::to_string(head.epoch) + " sequence " +
                           std::to_string(head.next_sequence) +
                           ", which is the next one this ledger wants: statements are missing",
                       received});
}

Result<ChainHead> head_of(sql::Connection& db, const Statement& statement) {
  MELDEVAKT_TRY_ASSIGN(const std::optional<AgentRecord> agent, find_agent(db, statement.agent));
  if (!agent) return Error{Errc::kNotFound, "no agent " + statement.agent + " is enrolled"};
  if (agent->key.tenant != statement.tenant) {
    return Error{Errc::kRejected, "agent " + statement.agent + " is another tenant's"};
  }
  return agent->head;
}

Result<StoredFrame> store_in(sql::Connection& db, const LogKey* key, const VerifiedFrame& verified,
                             Instant received) {
  const Statement& statement = verified.statement;
  MELDEVAKT_TRY_ASSIGN(const std::int64_t epoch, stored_number(statement.epoch));
  MELDEVAKT_TRY_ASSIGN(const std::int64_t sequence, stored_number(statement.sequence));
  MELDEVAKT_TRY_ASSIGN(const ChainHead head, head_of(db, statement));  // 1
  MELDEVAKT_TRY_ASSIGN(const std::optional<KnownLink> known,
                       find_link(db, statement, epoch, sequence));
  const ChainDecision decision =
      decide(head, statement, verified.link, known ? &known->link : nullptr);  // 2
  StoredFrame stored{decision, known ? known->index : 0, head.next_sequence};
  switch (decision) {
    case ChainDecision::kDuplicate: break;
    case ChainDecision::kFork: MELDEVAKT_TRY(keep_fork(db, key, verified, received)); break;
    case ChainDecision::kAhead:
      MELDEVAKT_TRY(note_ahead(db, key, head, statement, received));
      break;
    case ChainDecision::kExtends: {
      MELDEVAKT_TRY_ASSIGN(const std::int64_t index, take_index(db, statement.tenant));
      MELDEVAKT_TRY(insert_frame(db, verified, index, received));  // 3
      MELDEVAKT_TRY(move_head(db, head, verified, received));      // 4
      MELDEVAKT_TRY(append_log(db, statement.tenant, key,
                               {"statement", index, "", verified.frame.envelope}, received));
      MELDEVAKT_TRY(end_alarms(db, key, {statement.tenant, statement.agent, "silent"}, received));
      stored.index = static_cast<std::uint64_t>(index);
      stored.next_sequence = advance(statement, verified.link).next_sequence;
      break;
    }
  }
  return stored;
}

}  // namespace

Alarm fork_alarm(const Statement& statement, const Sha256& link, Instant received) {
  return {statement.tenant, statement.agent, "fork",
          "epoch " + std::to_string(statement.epoch) + " sequence " +
              std::to_string(statement.sequence) + " came with other bytes (link " +
              link.hex().substr(0, 16) +
              "): the agent's state was set back, or its key is used twice; both are kept",
          received};
}

Result<StoredFrame> SqliteStore::store_frame(const VerifiedFrame& frame, Instant received) {
  StoredFrame stored;
  const Status done = write([&](sql::Connection& db) -> Status {
    MELDEVAKT_TRY_ASSIGN(stored, store_in(db, options_.log_key.get(), frame, received));
    return {};
  });  // 5: write() commits, synced
  if (!done) return done.error();
  return stored;
}

}  // namespace meldevakt::collector
