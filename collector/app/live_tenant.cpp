#include "collector/app/live_tenant.h"

#include "collector/correlate/claims.h"

namespace meldevakt::collector {

LiveTenant::LiveTenant(Tenant tenant, Policy policy, ToldRegister::OfTenant told,
                       std::optional<Instant> fixed_since)
    : tenant_{std::move(tenant)},
      correlator_{tenant_.id, std::move(policy)},
      told_{std::move(told)},
      fixed_since_{fixed_since} {}

void LiveTenant::add(const TenantInput& input, std::vector<std::string>& problems) {
  if (const Status added = correlator_.add(input); !added) {
    problems.push_back(added.error().message());
  }
}

void LiveTenant::add(const VerifiedFrame& frame, std::vector<std::string>& problems) {
  const Statement& statement = frame.statement;
  for (std::size_t i = 0; i < frame.frame.bodies.size() && i < statement.bodies.size(); ++i) {
    const Result<Body> body = open_body(frame.frame.bodies[i], statement.bodies[i]);
    if (!body) {
      problems.push_back(
          "a body of agent=" + statement.agent + " epoch=" + std::to_string(statement.epoch) +
          " sequence=" + std::to_string(statement.sequence) + ": " + body.error().message());
      continue;
    }
    for (const Fact& fact : body.value().facts) {
      const Status added = correlator_.add(LedgerFact{statement.agent, fact});
      if (!added) problems.push_back(added.error().message());
    }
  }
  for (const LedgerCoverage& claim : claims_of(statement)) correlator_.add(claim);
}

void LiveTenant::add(const std::vector<Receipt>& rows,
                     const std::optional<ReceiptCoverage>& coverage,
                     std::vector<std::string>& problems) {
  for (const Receipt& row : rows) {
    if (const Status added = correlator_.add(row); !added) {
      problems.push_back(added.error().message());
    }
  }
  if (coverage) correlator_.add(*coverage);
}

std::vector<LiveFinding> LiveTenant::settle(Instant now) {
  std::vector<LiveFinding> out;
  correlator_.settle(now, [&](const Correlator::Change& change) { take(change, now, out); });
  while (!looks_.empty() && looks_.begin()->first <= now) {
    const auto waited = undecided_.find(looks_.begin()->second);
    const MessageVerdict message = std::move(waited->second.message);
    stop_waiting(message.message);
    consider(message, now, out);
  }
  const auto visit_all = [this](const auto& use) { correlator_.visit(use); };
  const std::optional<LatentFault> fault = watch_.fault(visit_all, fixed_since_);
  if (const auto told = told_of(""); tells_latent_fault(fault, told)) {
    tell(latent_finding(tenant_.id, tenant_.name, fault, told, now), out);
  }
  return out;
}

void LiveTenant::take(const Correlator::Change& change, Instant now,
                      std::vector<LiveFinding>& out) {
  watch_.note(change);
  const std::string& name = change.message.message;
  stop_waiting(name);
  if (!change.gone) return consider(change.message, now, out);
  if (const auto told = told_of(name); tells_withdrawal(told)) {
    tell(withdrawn_finding(tenant_.id, tenant_.name, name, *told, now), out);
  }
}

void LiveTenant::consider(const MessageVerdict& message, Instant now,
                          std::vector<LiveFinding>& out) {
  const std::optional<Told> told = told_of(message.message);
  const Telling telling = telling_of(message, told, now);
  if (telling.now || (telling.later && undecided_.size() >= kUndecidedMax)) {
    tell(message_finding(tenant_.id, tenant_.name, message, told, now), out);
  } else if (telling.later) {
    wait(message, *telling.later);
  }
}

void LiveTenant::wait(const MessageVerdict& message, Instant look) {
  undecided_[message.message] = {look, message};
  looks_.emplace(look, message.message);
}

void LiveTenant::stop_waiting(const std::string& message) {
  const auto at = undecided_.find(message);
  if (at == undecided_.end()) return;
  looks_.erase({at->second.look, message});
  undecided_.erase(at);
}

void LiveTenant::tell(LiveFinding finding, std::vector<LiveFinding>& out) {
  told_[finding.message] = finding.told;
  out.push_back(std::move(finding));
}

std::optional<Told> LiveTenant::told_of(const std::string& message) const {
  const auto at = told_.find(message);
  if (at == told_.end()) return std::nullopt;
  return at->second;
}

std::optional<Instant> LiveTenant::next_due() const {
  std::optional<Instant> out = correlator_.next_due();
  if (!looks_.empty() && (!out || looks_.begin()->first < *out)) out = looks_.begin()->first;
  return out;
}

}  // namespace meldevakt::collector
