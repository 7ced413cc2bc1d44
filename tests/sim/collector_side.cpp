#include "tests/sim/collector_side.h"

#include <algorithm>
#include <utility>

#include "collector/admit/admit.h"
#include "collector/report/latent_fault.h"
#include "common/crypto/crypto.h"
#include "common/ports/sha256.h"
#include "common/receipts/receipts.h"

namespace meldevakt::sim {

using collector::Verdict;

TenantDesk::TenantDesk(Ledger& ledger, collector::Policy policy, bool correlates)
    : ledger_{ledger}, correlates_{correlates} {
  input_.policy = std::move(policy);
  recent_.policy = input_.policy;
}

Status TenantDesk::enrol(const collector::Tenant& tenant, const Enrolling& enrolling,
                         const std::vector<collector::RegistryEntry>& entries, Instant now) {
  input_.tenant = tenant.id;
  recent_.tenant = tenant.id;
  const OpenSslVerifier verifier;
  MELDEVAKT_TRY_ASSIGN(const collector::VerifiedEnrolment verified,
                       collector::verify_enrolment(enrolling.enrolment, verifier));
  collector::AgentRecord record;
  record.key = {tenant.id, enrolling.agent, verified.public_key};
  record.tls_key = enrolling.tls_key;
  record.head = {0, 0, verified.link, Instant{}};
  record.enrolled = now;
  key_ = record.key;
  return ledger_.write([&](collector::Store& store) -> Status {
    const Sha256 token_hash = sha256(enrolling.token);
    MELDEVAKT_TRY(store.add_tenant(tenant));
    MELDEVAKT_TRY(store.add_invitation({token_hash, tenant.id, now + hours(1)}));
    MELDEVAKT_TRY_ASSIGN([[maybe_unused]] const bool first,
                         store.enrol(record, token_hash, enrolling.enrolment, now));
    return store.add_registry_entries(tenant.id, entries, now);
  });
}

Status TenantDesk::receive(std::string_view frame, Instant now) {
  const OpenSslVerifier verifier;
  MELDEVAKT_TRY_ASSIGN(const collector::VerifiedFrame verified,
                       collector::verify_frame(frame, key_, verifier));
  MELDEVAKT_TRY(ledger_.write([&](collector::Store& store) -> Status {
    MELDEVAKT_TRY_ASSIGN(const collector::StoredFrame stored, store.store_frame(verified, now));
    if (stored.decision != ChainDecision::kExtends) {
      return Error{Errc::kCorrupt, "a statement does not extend its chain: " +
                                       std::string{to_string(stored.decision)}};
    }
    return {};
  }));
  ++statements_;
  for (std::size_t i = 0; i < verified.frame.bodies.size(); ++i) {
    MELDEVAKT_TRY_ASSIGN(
        Body body, collector::open_body(verified.frame.bodies[i], verified.statement.bodies[i]));
    for (Fact& fact : body.facts) take(verified.statement.agent, std::move(fact));
  }
  const Statement& statement = verified.statement;
  for (const SourceCoverage& source : statement.sources) {
    take({statement.agent, statement.sequence, statement.span,
          milliseconds((statement.clock.max_error_us + 999) / 1000), source});
  }
  forget_old(now);
  const bool tells = !verified.frame.bodies.empty();
  if (correlates_ && (tells || unsettled_)) note(collector::correlate(recent_, now), now);
  return {};
}

void TenantDesk::take(const std::string& agent, Fact fact) {
  collector::add_fact(recent_, agent, fact);
  collector::add_fact(input_, agent, std::move(fact));
}

// Claims are a union: one that touches the one before of its source makes that one longer.
void TenantDesk::take(collector::LedgerCoverage claim) {
  const auto before =
      std::find_if(recent_.coverage.begin(), recent_.coverage.end(), [&](const auto& other) {
        return other.agent == claim.agent && other.source.id == claim.source.id &&
               other.source.complete && claim.source.complete &&
               other.source.complete->to == claim.source.complete->from;
      });
  if (before == recent_.coverage.end()) {
    recent_.coverage.push_back(claim);
  } else {
    before->source.complete->to = claim.source.complete->to;
    auto& gaps = before->source.event_gaps;
    gaps.insert(gaps.end(), claim.source.event_gaps.begin(), claim.source.event_gaps.end());
  }
  input_.coverage.push_back(std::move(claim));
}

void TenantDesk::forget_old(Instant now) {
  constexpr Duration kForgetEvery = days(5);
  if (now - forgot_ < kForgetEvery) return;
  forgot_ = now;
  const Instant oldest = now - kWatched;
  std::erase_if(recent_.facts, [&](const collector::LedgerFact& one) {
    const auto* const step = std::get_if<StepFact>(&one.fact.what);
    const auto* const window = std::get_if<WindowFact>(&one.fact.what);
    return (step != nullptr && step->time < oldest) ||
           (window != nullptr && window->span.to < oldest);
  });
  std::erase_if(recent_.receipts,
                [&](const Receipt& receipt) { return receipt.sent && *receipt.sent < oldest; });
}

Status TenantDesk::import_csv(std::string_view csv, const Interval& complete, const TimeZone& zone,
                              Instant now) {
  MELDEVAKT_TRY_ASSIGN(const Imported imported,
                       parse_receipts(csv, "npb", default_columns(), zone));
  if (!imported.errors.empty()) {
    return Error{Errc::kInvalid, "row " + std::to_string(imported.errors.front().row) + ": " +
                                     imported.errors.front().message};
  }
  const ReceiptCoverage coverage{"npb", complete};
  MELDEVAKT_TRY(ledger_.write([&](collector::Store& store) -> Status {
    MELDEVAKT_TRY_ASSIGN([[maybe_unused]] const collector::ImportResult result,
                         store.import_receipts(input_.tenant, imported.receipts, coverage, now));
    return {};
  }));
  for (collector::TenantInput* input : {&input_, &recent_}) {
    input->receipts.insert(input->receipts.end(), imported.receipts.begin(),
                           imported.receipts.end());
    input->receipt_coverage.push_back(coverage);
  }
  forget_old(now);
  if (correlates_ && (!imported.receipts.empty() || unsettled_)) {
    note(collector::correlate(recent_, now), now);
  }
  return {};
}

collector::Correlation TenantDesk::judge(Instant now) {
  if (!correlates_) return {input_.tenant, {}, {}, now};
  collector::Correlation all = collector::correlate(input_, now);
  note(all, now);
  return all;
}

void TenantDesk::note(const collector::Correlation& all, Instant now) {
  unsettled_ = false;
  for (const collector::MessageVerdict& message : all.messages) {
    unsettled_ = unsettled_ || message.verdict == Verdict::kPending ||
                 message.verdict == Verdict::kUnverifiable;
    const auto [at, is_new] = verdicts_.try_emplace(message.message, message.verdict);
    if (!is_new && at->second == message.verdict) continue;
    at->second = message.verdict;
    changes_.push_back({now, message.message, message.verdict});
  }
  if (latent_) return;
  const auto fault = collector::latent_fault(all);
  if (fault && fault->present) latent_ = now;
}

}  // namespace meldevakt::sim
