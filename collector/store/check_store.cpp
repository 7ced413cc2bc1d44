// The ledger told again from its own bytes: chains, hashes, signatures, indices, heads.
#include <array>
#include <map>
#include <optional>

#include "collector/store/records.h"
#include "collector/store/sqlite_log.h"
#include "collector/store/sqlite_store.h"
#include "common/ports/sha256.h"
#include "common/seal/dsse.h"

namespace meldevakt::collector {
namespace {

Error damaged(const std::string& tenant, std::uint64_t index, const std::string& what) {
  return Error{Errc::kCorrupt,
               "tenant " + tenant + " ledger index " + std::to_string(index) + ": " + what};
}

struct Chain {
  AgentRecord record;  // as stored
  ChainHead derived;   // as told again
  std::optional<Instant> last_received{};
};
using Chains = std::map<std::string, Chain>;

// The invitation that the enrolment names was used up by it.
Status check_invitation(sql::Connection& db, const AgentRecord& agent, const Sha256& token_hash) {
  MELDEVAKT_TRY_ASSIGN(
      sql::Rows rows,
      db.query("SELECT tenant, used_by, used_at FROM invitations WHERE token_hash = ?",
               {sql::value(token_hash)}));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  if (row && rows.text(0) == agent.key.tenant && rows.text(1) == agent.key.agent &&
      rows.maybe_instant(2) == agent.enrolled) {
    return {};
  }
  return Error{Errc::kCorrupt, "agent " + agent.key.agent + ": its invitation is another"};
}

Result<std::uint64_t> count_of(sql::Connection& db, const char* literal,
                               const std::string& tenant) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows, db.query(literal, {tenant}));
  MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
  return row ? rows.count(0) : 0;
}

Result<Chains> start_chains(sql::Connection& db, const std::string& tenant,
                            const Verifier& verifier) {
  MELDEVAKT_TRY_ASSIGN(
      sql::Rows rows,
      db.query("SELECT tenant, agent, public_key, tls_key, enrolled, last_received, head_epoch,"
               " head_next, head_link, head_until, enrolment FROM agents WHERE tenant = ?",
               {tenant}));
  Chains chains;
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) return chains;
    MELDEVAKT_TRY_ASSIGN(AgentRecord record, agent_of(rows));
    MELDEVAKT_TRY_ASSIGN(const VerifiedEnrolment enrolment,
                         verify_enrolment(rows.text(10), verifier));
    const Enrolment& signed_by_it = enrolment.enrolment;
    if (enrolment.public_key != record.key.public_key || signed_by_it.tls_key != record.tls_key ||
        signed_by_it.tenant != tenant || signed_by_it.agent != record.key.agent) {
      return Error{Errc::kCorrupt,
                   "agent " + record.key.agent + " enrolled with another key or name"};
    }
    MELDEVAKT_TRY(check_invitation(db, record, signed_by_it.invitation));
    const ChainHead start{0, 0, enrolment.link, Instant{}};
    std::string id = record.key.agent;
    chains.emplace(std::move(id), Chain{std::move(record), start});
  }
}

Result<std::vector<std::string>> bodies_of(sql::Connection& db, const std::string& tenant,
                                           std::int64_t index) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows,
                       db.query("SELECT position, packed FROM bodies WHERE tenant = ? AND idx = ?"
                                " ORDER BY position",
                                {tenant, index}));
  std::vector<std::string> bodies;
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) return bodies;
    if (rows.count(0) != bodies.size()) {
      return damaged(tenant, static_cast<std::uint64_t>(index), "a body is missing");
    }
    bodies.push_back(rows.text(1));
  }
}

// One row: the envelope is signed by its agent, is the next link, and its bodies are there.
Status check_row(sql::Connection& db, const sql::Rows& rows, Chains& chains,
                 const std::string& tenant, const Verifier& verifier, std::uint64_t& bodies_seen) {
  const std::uint64_t index = rows.count(0);
  const auto chain = chains.find(rows.text(1));
  if (chain == chains.end()) return damaged(tenant, index, "its agent is not enrolled");
  MELDEVAKT_TRY_ASSIGN(const Envelope envelope, parse_envelope(rows.text(5)));
  MELDEVAKT_TRY(
      verify_envelope(envelope, kStatementType, chain->second.record.key.public_key, verifier));
  MELDEVAKT_TRY_ASSIGN(const Statement statement, decode_statement(envelope.payload));
  MELDEVAKT_TRY_ASSIGN(const Sha256 stored_link, rows.hash(4));
  const Sha256 link = link_hash(envelope.payload_type, envelope.payload);
  if (link != stored_link) return damaged(tenant, index, "its link is not its bytes' hash");
  if (statement.tenant != tenant || statement.agent != chain->first ||
      statement.epoch != rows.count(2) || statement.sequence != rows.count(3)) {
    return damaged(tenant, index, "its columns are not what is signed");
  }
  if (decide(chain->second.derived, statement, link, nullptr) != ChainDecision::kExtends) {
    return damaged(tenant, index, "it does not follow the statement before");
  }
  chain->second.derived = advance(statement, link);
  chain->second.last_received = rows.instant(6);
  MELDEVAKT_TRY_ASSIGN(const std::vector<std::string> bodies,
                       bodies_of(db, tenant, rows.integer(0)));
  if (bodies.size() != statement.bodies.size()) {
    return damaged(tenant, index, "its bodies are not those that are signed");
  }
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    if (sha256(bodies[i]) != statement.bodies[i].packed) {
      return damaged(tenant, index, "a body is not the one that is signed");
    }
  }
  bodies_seen += bodies.size();
  return {};
}

struct Fork {
  Statement statement;
  Sha256 link;
  Instant received;
};

// An envelope that was kept beside the ledger: signed by its agent, and what its columns say.
Result<Fork> fork_of(const sql::Rows& rows, const Chains& chains, const std::string& tenant,
                     const Verifier& verifier) {
  const Error wrong{Errc::kCorrupt, "tenant " + tenant + ": an envelope kept as a fork is another"};
  const auto chain = chains.find(rows.text(0));
  if (chain == chains.end()) return wrong;
  MELDEVAKT_TRY_ASSIGN(const Envelope envelope, parse_envelope(rows.text(5)));
  MELDEVAKT_TRY(
      verify_envelope(envelope, kStatementType, chain->second.record.key.public_key, verifier));
  MELDEVAKT_TRY_ASSIGN(Statement statement, decode_statement(envelope.payload));
  MELDEVAKT_TRY_ASSIGN(const Sha256 link, rows.hash(3));
  if (statement.tenant != tenant || statement.agent != chain->first ||
      statement.epoch != rows.count(1) || statement.sequence != rows.count(2) ||
      link_hash(envelope.payload_type, envelope.payload) != link) {
    return wrong;
  }
  return Fork{std::move(statement), link, rows.instant(4)};
}

// Each has its alarm, which the log tells of, and each such alarm has its envelope.
Status check_forks(sql::Connection& db, const Chains& chains, const std::string& tenant,
                   const Verifier& verifier) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows,
                       db.query("SELECT agent, epoch, sequence, link, received, envelope"
                                " FROM evidence_forks WHERE tenant = ?",
                                {tenant}));
  std::uint64_t kept = 0;
  for (;; ++kept) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) break;
    MELDEVAKT_TRY_ASSIGN(const Fork fork, fork_of(rows, chains, tenant, verifier));
    const Alarm alarm = fork_alarm(fork.statement, fork.link, fork.received);
    MELDEVAKT_TRY_ASSIGN(
        sql::Rows raised,
        db.query("SELECT 1 FROM alarms WHERE tenant = ? AND agent = ? AND kind = ?"
                 " AND detail = ? AND time = ?",
                 {tenant, alarm.agent, alarm.kind, alarm.detail, sql::value(alarm.time)}));
    MELDEVAKT_TRY_ASSIGN(const bool there, raised.next());
    if (!there) {
      return Error{Errc::kCorrupt, "tenant " + tenant + ": a fork is kept without its alarm"};
    }
  }
  MELDEVAKT_TRY_ASSIGN(
      const std::uint64_t alarms,
      count_of(db, "SELECT count(*) FROM alarms WHERE tenant = ? AND kind = 'fork'", tenant));
  if (alarms == kept) return {};
  return Error{Errc::kCorrupt,
               "tenant " + tenant + ": an envelope that was kept as a fork is gone"};
}

// Rows that are nobody's: no tenant of theirs is there, so nothing else looks at them.
Status check_strays(sql::Connection& db) {
  constexpr std::array<const char*, 13> kStrays{{
      "SELECT 'invitations' FROM invitations WHERE tenant NOT IN (SELECT tenant FROM tenants)",
      "SELECT 'agents' FROM agents WHERE tenant NOT IN (SELECT tenant FROM tenants)",
      "SELECT 'ledger' FROM ledger WHERE tenant NOT IN (SELECT tenant FROM tenants)",
      "SELECT 'bodies' FROM bodies WHERE tenant NOT IN (SELECT tenant FROM tenants)",
      "SELECT 'evidence_forks' FROM evidence_forks WHERE tenant NOT IN"
      " (SELECT tenant FROM tenants)",
      "SELECT 'alarms' FROM alarms WHERE tenant NOT IN (SELECT tenant FROM tenants)",
      "SELECT 'receipts' FROM receipts WHERE tenant NOT IN (SELECT tenant FROM tenants)",
      "SELECT 'receipt_coverage' FROM receipt_coverage WHERE tenant NOT IN"
      " (SELECT tenant FROM tenants)",
      "SELECT 'registry' FROM registry WHERE tenant NOT IN (SELECT tenant FROM tenants)",
      "SELECT 'controls' FROM controls WHERE tenant NOT IN (SELECT tenant FROM tenants)",
      "SELECT 'told' FROM told WHERE tenant NOT IN (SELECT tenant FROM tenants)",
      "SELECT 'log_entries' FROM log_entries WHERE tenant NOT IN (SELECT tenant FROM tenants)",
      "SELECT 'logs or their hashes' WHERE EXISTS (SELECT 1 FROM logs WHERE tenant NOT IN"
      " (SELECT tenant FROM tenants)) OR EXISTS (SELECT 1 FROM log_hashes WHERE tenant NOT IN"
      " (SELECT tenant FROM tenants))",
  }};
  for (const char* const literal : kStrays) {
    MELDEVAKT_TRY_ASSIGN(sql::Rows rows, db.query(literal));
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (row) return Error{Errc::kCorrupt, rows.text(0) + ": rows of a tenant that is not there"};
  }
  return {};
}

// Nothing is there beside what was looked at: bodies of no statement, invitations used by nobody.
Status check_beside(sql::Connection& db, const std::string& tenant, std::uint64_t bodies,
                    std::uint64_t agents) {
  MELDEVAKT_TRY_ASSIGN(const std::uint64_t kept,
                       count_of(db, "SELECT count(*) FROM bodies WHERE tenant = ?", tenant));
  if (kept != bodies) {
    return Error{Errc::kCorrupt, "tenant " + tenant + ": bodies of no statement are stored"};
  }
  MELDEVAKT_TRY_ASSIGN(const std::uint64_t used,
                       count_of(db,
                                "SELECT count(*) FROM invitations WHERE tenant = ?"
                                " AND (used_by IS NOT NULL OR used_at IS NOT NULL)",
                                tenant));
  if (used == agents) return {};
  return Error{Errc::kCorrupt, "tenant " + tenant + ": an invitation was used by no agent"};
}

Status check_tenant(sql::Connection& db, const std::string& tenant, std::uint64_t ledger_next,
                    const Verifier& verifier) {
  MELDEVAKT_TRY_ASSIGN(Chains chains, start_chains(db, tenant, verifier));
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows,
                       db.query("SELECT idx, agent, epoch, sequence, link, envelope, received"
                                " FROM ledger WHERE tenant = ? ORDER BY idx",
                                {tenant}));
  std::uint64_t expected = 0;
  std::uint64_t bodies = 0;
  for (;; ++expected) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) break;
    if (rows.count(0) != expected) return damaged(tenant, expected, "missing");
    Status checked = check_row(db, rows, chains, tenant, verifier, bodies);
    if (!checked) {
      return std::move(checked).error().in("tenant " + tenant + " ledger index " +
                                           std::to_string(expected));
    }
  }
  if (expected != ledger_next) return damaged(tenant, expected, "the ledger ends elsewhere");
  for (const auto& [id, chain] : chains) {
    if (chain.derived != chain.record.head || chain.last_received != chain.record.last_received) {
      return Error{Errc::kCorrupt, "agent " + id + ": the head is not the chain's end"};
    }
  }
  MELDEVAKT_TRY(check_beside(db, tenant, bodies, chains.size()));
  return check_forks(db, chains, tenant, verifier);
}

}  // namespace

Result<std::vector<SqliteStore::Audited>> SqliteStore::audit(const Verifier& verifier) {
  std::vector<Audited> out;
  const auto check = [&](sql::Connection& db) -> Status {
    std::map<std::string, std::uint64_t> ends;
    {
      MELDEVAKT_TRY_ASSIGN(sql::Rows rows, db.query("SELECT tenant, ledger_next FROM tenants"));
      for (;;) {
        MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
        if (!row) break;
        ends.emplace(rows.text(0), rows.count(1));
      }
    }
    MELDEVAKT_TRY(check_strays(db));
    for (const auto& [tenant, end] : ends) {
      MELDEVAKT_TRY(check_tenant(db, tenant, end, verifier));
      MELDEVAKT_TRY_ASSIGN(const std::uint64_t entries,
                           check_log(db, tenant, options_.log_key.get(), verifier));
      out.push_back({tenant, end, entries});
    }
    return {};
  };
  // Beside a server that goes on writing, everything is looked at as of one moment.
  const Status done = with([&](sql::Connection& db) -> Status {
    MELDEVAKT_TRY(db.execute("BEGIN"));
    Status checked = check(db);
    Status ended = db.execute("ROLLBACK");
    if (!checked) return checked;
    return ended;
  });
  if (!done) return done.error();
  return out;
}

Status SqliteStore::check_store(const Verifier& verifier) {
  const auto audited = audit(verifier);
  if (!audited) return audited.error();
  return {};
}

}  // namespace meldevakt::collector
