#include "tests/sim/collector_side.h"

#include <algorithm>
#include <utility>

#include "collector/admit/admit.h"
#include "collector/correlate/claims.h"
#include "common/crypto/crypto.h"
#include "common/ports/sha256.h"
#include "common/receipts/receipts.h"

namespace meldevakt::sim {

TenantDesk::TenantDesk(Ledger& ledger, collector::Policy policy, bool correlates)
    : ledger_{ledger}, correlates_{correlates}, policy_{std::move(policy)}, correlator_{""} {}

Status TenantDesk::open(const collector::Tenant& tenant,
                        const std::vector<collector::RegistryEntry>& entries, Instant now) {
  tenant_ = tenant.id;
  correlator_ = collector::Correlator{tenant_, policy_};
  registry_ = collector::Registry{entries};
  registry_changes_ = registry_.next_change(now);
  return ledger_.write([&](collector::Store& store) -> Status {
    MELDEVAKT_TRY(store.add_tenant(tenant));
    return store.add_registry_entries(tenant.id, entries, now);
  });
}

Status TenantDesk::enrol(const Enrolling& enrolling, Instant now) {
  const OpenSslVerifier verifier;
  MELDEVAKT_TRY_ASSIGN(const collector::VerifiedEnrolment verified,
                       collector::verify_enrolment(enrolling.enrolment, verifier));
  collector::AgentRecord record;
  record.key = {tenant_, enrolling.agent, verified.public_key};
  record.tls_key = enrolling.tls_key;
  record.head = {0, 0, verified.link, Instant{}};
  record.enrolled = now;
  keys_[enrolling.agent] = record.key;
  return ledger_.write([&](collector::Store& store) -> Status {
    const Sha256 token_hash = sha256(enrolling.token);
    MELDEVAKT_TRY(store.add_invitation({token_hash, tenant_, now + hours(1)}));
    MELDEVAKT_TRY_ASSIGN([[maybe_unused]] const bool first,
                         store.enrol(record, token_hash, enrolling.enrolment, now));
    return {};
  });
}

Status TenantDesk::receive(const std::string& agent, std::string_view frame, Instant now) {
  const OpenSslVerifier verifier;
  MELDEVAKT_TRY_ASSIGN(const collector::VerifiedFrame verified,
                       collector::verify_frame(frame, keys_.at(agent), verifier));
  MELDEVAKT_TRY(ledger_.write([&](collector::Store& store) -> Status {
    MELDEVAKT_TRY_ASSIGN(const collector::StoredFrame stored, store.store_frame(verified, now));
    if (stored.decision != ChainDecision::kExtends) {
      return Error{Errc::kCorrupt, "a statement does not extend its chain: " +
                                       std::string{to_string(stored.decision)}};
    }
    return {};
  }));
  ++statements_;
  if (!correlates_) return {};
  pass_time_until(now);
  const Statement& statement = verified.statement;
  for (std::size_t i = 0; i < verified.frame.bodies.size(); ++i) {
    MELDEVAKT_TRY_ASSIGN(const Body body,
                         collector::open_body(verified.frame.bodies[i], statement.bodies[i]));
    for (const Fact& fact : body.facts) {
      MELDEVAKT_TRY(correlator_.add(collector::LedgerFact{statement.agent, fact}));
    }
  }
  for (const collector::LedgerCoverage& claim : collector::claims_of(statement, now)) {
    correlator_.add(claim);
  }
  settle_at(now);
  return {};
}

Status TenantDesk::import_csv(std::string_view csv, const Interval& complete, const TimeZone& zone,
                              Instant now) {
  MELDEVAKT_TRY_ASSIGN(const Imported imported,
                       parse_receipts(csv, "npb", default_columns(), zone, now));
  if (!imported.errors.empty()) {
    return Error{Errc::kInvalid, "row " + std::to_string(imported.errors.front().row) + ": " +
                                     imported.errors.front().message};
  }
  const ReceiptCoverage coverage{"npb", complete};
  MELDEVAKT_TRY(ledger_.write([&](collector::Store& store) -> Status {
    MELDEVAKT_TRY_ASSIGN([[maybe_unused]] const collector::ImportResult result,
                         store.import_receipts(tenant_, imported.receipts, coverage, now));
    return {};
  }));
  if (!correlates_) return {};
  pass_time_until(now);
  for (const Receipt& row : imported.receipts) MELDEVAKT_TRY(correlator_.add(row));
  correlator_.add(coverage);
  settle_at(now);
  return {};
}

collector::Correlation TenantDesk::judge(Instant now) {
  if (!correlates_) return {tenant_, {}, {}, now};
  pass_time_until(now);
  settle_at(now);
  return correlator_.correlation();
}

void TenantDesk::pass_time_until(Instant now) {
  for (;;) {
    std::optional<Instant> due = correlator_.next_due();
    if (registry_changes_ && (!due || *registry_changes_ < *due)) due = registry_changes_;
    if (!due || now < *due) break;
    settle_at(*due);
  }
  arrived_ = now;
}

void TenantDesk::settle_at(Instant now) {
  bool noted = false;
  correlator_.settle(now, [&](const collector::Correlator::Change& change) {
    watch_.note(change);
    noted = true;
    change.gone ? causes_.drop(change.message.message) : causes_.note(change.message);
    if (change.gone || change.before == change.message.verdict) return;
    changes_.push_back({now, change.message.message, change.message.verdict, arrived_});
  });
  if (registry_changes_ && *registry_changes_ <= now) {
    registry_changes_ = registry_.next_change(now);
  }
  const auto visit_all = [this](const auto& use) { correlator_.visit(use); };
  const auto fault = watch_.fault(visit_all, registry_.fixed_since(now));
  const bool present = fault && fault->present;
  const bool was_present = !latent_.empty() && latent_.back().present;
  if (present != was_present) latent_.push_back({now, present});
  if (noted) note_causes(now, fault);
}

// As the running collector does for each tenant: which causes, and the latent fault as one.
void TenantDesk::note_causes(Instant now, const std::optional<collector::LatentFault>& fault) {
  std::vector<collector::CausePart> parts = causes_.parts();
  if (fault) {
    parts.push_back({"receipt_before_commit", collector::Verdict::kStoredAfterReceipt, fault->first,
                     fault->last, fault->messages});
  }
  std::sort(parts.begin(), parts.end());
  const auto same_cause = [](const collector::CausePart& a, const collector::CausePart& b) {
    return a.cause == b.cause;
  };
  const bool known = !causes_seen_.empty() &&
                     std::equal(parts.begin(), parts.end(), causes_seen_.back().causes.begin(),
                                causes_seen_.back().causes.end(), same_cause);
  if (!known) causes_seen_.push_back({now, std::move(parts)});
}

}  // namespace meldevakt::sim
