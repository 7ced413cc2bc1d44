// Enrolment: the invitation is used up and the agent is there, or neither.
#include "collector/store/records.h"
#include "collector/store/sqlite_log.h"
#include "collector/store/sqlite_store.h"

namespace meldevakt::collector {
namespace {

struct StoredInvitation {
  std::string tenant;
  Instant expires;
  std::string used_by;  // "" = not used yet
};

Result<StoredInvitation> find_invitation(sql::Connection& db, const Sha256& token_hash) {
  // The token is random and only its hash is compared, by an index: how long that takes tells
  // nothing about the token.
  MELDEVAKT_TRY_ASSIGN(
      sql::Rows rows,
      db.query("SELECT tenant, expires, used_by FROM invitations WHERE token_hash = ?",
               {sql::value(token_hash)}));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  if (!row) return Error{Errc::kRejected, "no such invitation"};
  return StoredInvitation{rows.text(0), rows.instant(1), rows.text(2)};
}

// The answer of the first time, for an agent that asks again because it never got it.
Result<bool> answer_again(sql::Connection& db, const AgentRecord& agent) {
  MELDEVAKT_TRY_ASSIGN(
      sql::Rows rows,
      db.query("SELECT first FROM agents WHERE agent = ? AND tenant = ? AND public_key = ?"
               " AND tls_key = ?",
               {agent.key.agent, agent.key.tenant, sql::Blob{agent.key.public_key},
                sql::value(agent.tls_key)}));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  if (!row) return Error{Errc::kRejected, "the invitation has been used"};
  return rows.integer(0) == 1;
}

Result<bool> is_first_agent(sql::Connection& db, const std::string& tenant) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows,
                       db.query("SELECT 1 FROM agents WHERE tenant = ? LIMIT 1", {tenant}));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  return !row;
}

Status insert_agent(sql::Connection& db, const AgentRecord& agent, std::string_view envelope,
                    bool first, Instant now) {
  MELDEVAKT_TRY_ASSIGN(const std::int64_t epoch, stored_number(agent.head.epoch));
  MELDEVAKT_TRY_ASSIGN(const std::int64_t next, stored_number(agent.head.next_sequence));
  Status inserted = db.run(
      "INSERT INTO agents (tenant, agent, public_key, tls_key, enrolment, first, enrolled,"
      " head_epoch, head_next, head_link, head_until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {agent.key.tenant, agent.key.agent, sql::Blob{agent.key.public_key},
       sql::value(agent.tls_key), sql::Blob{envelope}, std::int64_t{first ? 1 : 0}, sql::value(now),
       epoch, next, sql::value(agent.head.link), sql::value(agent.head.until)});
  if (!inserted && inserted.error().code() == Errc::kExists) {
    return Error{Errc::kRejected, "an agent with this key is enrolled already"};
  }
  return inserted;
}

Result<bool> enrol_in(sql::Connection& db, const LogKey* key, const AgentRecord& agent,
                      const Sha256& token_hash, std::string_view envelope, Instant now) {
  MELDEVAKT_TRY_ASSIGN(const StoredInvitation invitation, find_invitation(db, token_hash));
  if (invitation.expires <= now) return Error{Errc::kRejected, "the invitation has expired"};
  if (invitation.tenant != agent.key.tenant) {
    return Error{Errc::kRejected, "the invitation is another tenant's"};
  }
  if (!invitation.used_by.empty()) {
    if (invitation.used_by == agent.key.agent) return answer_again(db, agent);
    return Error{Errc::kRejected, "the invitation has been used"};
  }
  MELDEVAKT_TRY_ASSIGN(const bool first, is_first_agent(db, agent.key.tenant));
  MELDEVAKT_TRY(insert_agent(db, agent, envelope, first, now));
  MELDEVAKT_TRY(
      db.run("UPDATE invitations SET used_at = ?, used_by = ?"
             " WHERE token_hash = ? AND used_by IS NULL",
             {sql::value(now), agent.key.agent, sql::value(token_hash)}));
  if (db.changes() != 1) return Error{Errc::kRejected, "the invitation has been used"};
  MELDEVAKT_TRY(
      append_log(db, agent.key.tenant, key, {"enrolment", {}, agent.key.agent, envelope}, now));
  return first;
}

}  // namespace

Result<bool> SqliteStore::enrol(const AgentRecord& agent, const Sha256& token_hash,
                                std::string_view enrolment_envelope, Instant now) {
  bool first = false;
  const Status done = write([&](sql::Connection& db) -> Status {
    MELDEVAKT_TRY_ASSIGN(
        first, enrol_in(db, options_.log_key.get(), agent, token_hash, enrolment_envelope, now));
    return {};
  });
  if (!done) return done.error();
  return first;
}

}  // namespace meldevakt::collector
