// The ledger told again from its own bytes: chains, hashes, signatures, indices, heads.
#include <map>

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
};
using Chains = std::map<std::string, Chain>;

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
    if (enrolment.public_key != record.key.public_key) {
      return Error{Errc::kCorrupt, "agent " + record.key.agent + " enrolled with another key"};
    }
    const ChainHead start{0, 0, enrolment.link,
                          record.head.next_sequence == 0 ? record.head.until : Instant{}};
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
                 const std::string& tenant, const Verifier& verifier) {
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
  return {};
}

Status check_tenant(sql::Connection& db, const std::string& tenant, std::uint64_t ledger_next,
                    const Verifier& verifier) {
  MELDEVAKT_TRY_ASSIGN(Chains chains, start_chains(db, tenant, verifier));
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows,
                       db.query("SELECT idx, agent, epoch, sequence, link, envelope FROM ledger"
                                " WHERE tenant = ? ORDER BY idx",
                                {tenant}));
  std::uint64_t expected = 0;
  for (;; ++expected) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) break;
    if (rows.count(0) != expected) return damaged(tenant, expected, "missing");
    Status checked = check_row(db, rows, chains, tenant, verifier);
    if (!checked) {
      return std::move(checked).error().in("tenant " + tenant + " ledger index " +
                                           std::to_string(expected));
    }
  }
  if (expected != ledger_next) return damaged(tenant, expected, "the ledger ends elsewhere");
  for (const auto& [id, chain] : chains) {
    if (chain.derived != chain.record.head) {
      return Error{Errc::kCorrupt, "agent " + id + ": the head is not the chain's end"};
    }
  }
  return {};
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
