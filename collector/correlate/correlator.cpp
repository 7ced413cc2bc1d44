#include "collector/correlate/correlator.h"

#include <utility>

#include "collector/correlate/correlator_state.h"

namespace meldevakt::collector {

Correlator::Correlator(std::string tenant, Policy policy)
    : state_{std::make_unique<State>(std::move(tenant), std::move(policy))} {}
Correlator::~Correlator() = default;
Correlator::Correlator(Correlator&&) noexcept = default;
Correlator& Correlator::operator=(Correlator&&) noexcept = default;

Status Correlator::add(const LedgerFact& fact) {
  return state_->add(fact);
}

Status Correlator::add(const Receipt& row) {
  return state_->add(row);
}

Status Correlator::add(const RowAhead& row) {
  return state_->add(row);
}

void Correlator::add(const LedgerCoverage& claim) {
  state_->add(claim);
}

void Correlator::add(const ReceiptCoverage& claim) {
  state_->add(claim);
}

Status Correlator::add(const TenantInput& input) {
  Status first;
  const auto keep = [&first](Status status) {
    if (first && !status) first = std::move(status);
  };
  for (const LedgerFact& fact : input.facts) keep(state_->add(fact));
  for (const LedgerCoverage& claim : input.coverage) state_->add(claim);
  for (const Receipt& row : input.receipts) keep(state_->add(row));
  for (const RowAhead& row : input.rows_ahead) keep(state_->add(row));
  for (const ReceiptCoverage& claim : input.receipt_coverage) state_->add(claim);
  return first;
}

void Correlator::set_unused(std::vector<UnusedSource> unused) {
  state_->set_unused(std::move(unused));
}

void Correlator::set_portal_uses(std::vector<PortalUse> uses) {
  state_->set_portal_uses(std::move(uses));
}

void Correlator::set_policy(Policy policy) {
  state_->set_policy(std::move(policy));
}

void Correlator::settle(Instant now, const std::function<void(const Change&)>& tell) {
  state_->settle(now, tell);
}

std::optional<Instant> Correlator::next_due() const {
  return state_->next_due();
}

Correlation Correlator::correlation() const {
  return state_->correlation();
}

void Correlator::visit(const std::function<void(const MessageVerdict&)>& use) const {
  state_->visit(use);
}

std::uint64_t Correlator::count(Verdict verdict) const {
  return state_->count(verdict);
}

std::uint64_t Correlator::decisions() const {
  return state_->decisions();
}

std::uint64_t Correlator::message_count() const {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i <= static_cast<std::size_t>(Verdict::kUnreceipted); ++i) {
    out += count(static_cast<Verdict>(i));
  }
  return out;
}

const CoverageMap& Correlator::coverage() const {
  return state_->coverage();
}

std::uint64_t Correlator::kept() const {
  return state_->kept();
}

}  // namespace meldevakt::collector
