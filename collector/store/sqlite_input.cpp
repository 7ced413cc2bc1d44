// From stored bytes to what correlate() reads. Everything is decoded anew: tables that could be
// wrong do not stand between the signed bytes and a verdict.
#include <algorithm>
#include <set>
#include <utility>

#include "collector/correlate/claims.h"
#include "collector/store/records.h"
#include "collector/store/sqlite_store.h"
#include "common/seal/dsse.h"

namespace meldevakt::collector {
namespace {

// What a statement's bodies are needed for, while they are read.
struct OpenStatement {
  std::uint64_t index = 0;
  Instant received;
  Statement statement;
  std::size_t found = 0;   // bodies
  std::size_t opened = 0;  // of them
  std::vector<ReceiptCoverage> lists{};
};

// The part that is being read, given on when it holds enough.
class Parts {
 public:
  Parts(std::string tenant, const Store::UseOfInput& use) : use_{use} {
    part_.tenant = std::move(tenant);
  }
  [[nodiscard]] const std::string& tenant() const { return part_.tenant; }
  // To be added to; not kept over the next give_on_when_full().
  [[nodiscard]] TenantInput& part() { return part_; }
  void give_on_when_full() {
    if (items() >= Store::kPartItems) give_on();
  }
  void give_on() {
    if (items() == 0) return;
    TenantInput next;
    next.tenant = part_.tenant;
    use_(std::exchange(part_, std::move(next)));
  }

 private:
  [[nodiscard]] std::size_t items() const {
    return part_.facts.size() + part_.coverage.size() + part_.receipts.size() +
           part_.rows_ahead.size() + part_.receipt_coverage.size() + part_.lost_facts.size();
  }
  const Store::UseOfInput& use_;
  TenantInput part_;
};

Result<Statement> statement_of(const std::string& envelope_json, const Sha256& link) {
  MELDEVAKT_TRY_ASSIGN(const Envelope envelope, parse_envelope(envelope_json));
  if (link_hash(envelope.payload_type, envelope.payload) != link) {
    return Error{Errc::kCorrupt, "the stored envelope is not the one that was received"};
  }
  return decode_statement(envelope.payload);
}

Alarm undecodable(const std::string& tenant, const std::string& agent, std::string kind,
                  std::uint64_t index, const Error& error, Instant received) {
  return {tenant, agent, std::move(kind),
          "ledger index " + std::to_string(index) + ": " + error.message(), received};
}

// False: it cannot be opened, and an alarm says so.
bool take_body(OpenStatement& open, std::size_t position, const std::string& packed,
               TenantInput& part, std::vector<Alarm>& alarms) {
  const Statement& statement = open.statement;
  Result<Body> body = Error{Errc::kCorrupt, "a body that the statement does not name"};
  if (position < statement.bodies.size()) body = open_body(packed, statement.bodies[position]);
  if (!body) {
    alarms.push_back(undecodable(part.tenant, statement.agent, "undecodable_body", open.index,
                                 body.error(), open.received));
    return false;
  }
  for (Fact& fact : body.value().facts) {
    add_fact(part, statement.agent, std::move(fact), open.received, open.lists);
  }
  return true;
}

// A statement claims what it read when everything it told is there.
void close(std::optional<OpenStatement> open, StatementClaims& claims, TenantInput& part,
           std::vector<Alarm>& alarms) {
  if (!open) return;
  const Statement& statement = open->statement;
  if (open->found < statement.bodies.size()) {
    alarms.push_back(undecodable(part.tenant, statement.agent, "undecodable_body", open->index,
                                 {Errc::kCorrupt, "a body that the statement names is not stored"},
                                 open->received));
  }
  const bool all = open->opened == statement.bodies.size() && open->opened == open->found;
  claims.take(statement, open->received, all, std::move(open->lists), part);
}

Status read_ledger(sql::Connection& db, Parts& parts, std::vector<Alarm>& alarms) {
  MELDEVAKT_TRY_ASSIGN(
      sql::Rows rows,
      db.query("SELECT l.idx, l.agent, l.link, l.received, l.envelope, b.position, b.packed"
               " FROM ledger l LEFT JOIN bodies b ON b.tenant = l.tenant AND b.idx = l.idx"
               " WHERE l.tenant = ? ORDER BY l.idx, b.position",
               {parts.tenant()}));
  StatementClaims claims;
  std::optional<OpenStatement> open;
  std::optional<std::uint64_t> seen;
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) break;
    const std::uint64_t index = rows.count(0);
    if (seen != index) {
      seen = index;
      close(std::exchange(open, std::nullopt), claims, parts.part(), alarms);
      parts.give_on_when_full();
      MELDEVAKT_TRY_ASSIGN(const Sha256 link, rows.hash(2));
      Result<Statement> statement = statement_of(rows.text(4), link);
      if (!statement) {
        alarms.push_back(undecodable(parts.tenant(), rows.text(1), "undecodable_statement", index,
                                     statement.error(), rows.instant(3)));
        claims.lose(rows.text(1), rows.instant(3));
        continue;
      }
      open = OpenStatement{index, rows.instant(3), std::move(statement).value()};
    }
    if (!open || rows.is_null(5)) continue;
    ++open->found;
    const auto position = static_cast<std::size_t>(rows.count(5));
    if (take_body(*open, position, rows.text(6), parts.part(), alarms)) ++open->opened;
  }
  close(std::move(open), claims, parts.part(), alarms);
  parts.part().lost_facts = claims.lost();
  return {};
}

// All versions of each row: what counts of them is not for the store to say.
Status read_receipts(sql::Connection& db, Parts& parts) {
  MELDEVAKT_TRY_ASSIGN(
      sql::Rows rows,
      db.query("SELECT portal, message_id, sent, confirmed, form, channel, district, imported"
               " FROM receipts WHERE tenant = ? ORDER BY portal, message_id, version",
               {parts.tenant()}));
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) return {};
    add_row(parts.part(), receipt_of(rows), rows.instant(7));
    parts.give_on_when_full();
  }
}

Status read_receipt_coverage(sql::Connection& db, Parts& parts) {
  MELDEVAKT_TRY_ASSIGN(sql::Rows rows,
                       db.query("SELECT portal, from_ms, until_ms FROM receipt_coverage"
                                " WHERE tenant = ? ORDER BY portal, from_ms, until_ms",
                                {parts.tenant()}));
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(const bool row, rows.next());
    if (!row) return {};
    parts.part().receipt_coverage.push_back({rows.text(0), {rows.instant(1), rows.instant(2)}});
  }
}

}  // namespace

Status SqliteStore::read_input(const std::string& tenant, const UseOfInput& use,
                               std::vector<Alarm>& alarms_found) {
  return with([&](sql::Connection& db) -> Status {
    Parts parts{tenant, use};
    // One snapshot for all that is read, whatever a writer does meanwhile.
    MELDEVAKT_TRY(db.run("BEGIN"));
    Status read = read_ledger(db, parts, alarms_found);
    if (read) read = read_receipts(db, parts);
    if (read) read = read_receipt_coverage(db, parts);
    if (read) parts.give_on();
    const Status ended = db.run("COMMIT");
    return read ? ended : read;
  });
}

}  // namespace meldevakt::collector
