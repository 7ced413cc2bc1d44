#include "collector/app/live_tenant.h"

#include <algorithm>
#include <initializer_list>

#include "collector/app/view.h"
#include "collector/correlate/claims.h"
#include "collector/correlate/told_names.h"
#include "collector/correlate/words.h"
#include "collector/report/fleet.h"

namespace meldevakt::collector {

LiveTenant::LiveTenant(Tenant tenant, Policy policy, ToldRegister::OfTenant told,
                       std::optional<Instant> fixed_since)
    : tenant_{std::move(tenant)},
      made_as_{tenant_.name},
      correlator_{tenant_.id, std::move(policy)},
      told_{std::move(told)},
      fixed_since_{fixed_since} {}

void LiveTenant::add(const TenantInput& input, std::vector<std::string>& problems) {
  for (const LedgerCoverage& claim : input.coverage) note(claim);
  if (!input.lost_facts.empty()) claims_.go_on_from(input.lost_facts);
  if (const Status added = correlator_.add(input); !added) {
    problems.push_back(added.error().message());
  }
}

void LiveTenant::add(const VerifiedFrame& frame, Instant received,
                     std::vector<std::string>& problems) {
  const Statement& statement = frame.statement;
  bool opened = frame.frame.bodies.size() == statement.bodies.size();
  TenantInput part;
  std::vector<ReceiptCoverage> lists;
  for (std::size_t i = 0; i < frame.frame.bodies.size() && i < statement.bodies.size(); ++i) {
    Result<Body> body = open_body(frame.frame.bodies[i], statement.bodies[i]);
    if (!body) {
      opened = false;
      problems.push_back(
          "a body of agent=" + statement.agent + " epoch=" + std::to_string(statement.epoch) +
          " sequence=" + std::to_string(statement.sequence) + ": " + body.error().message());
      continue;
    }
    for (Fact& fact : body.value().facts) {
      add_fact(part, statement.agent, std::move(fact), received, lists);
    }
  }
  claims_.take(statement, received, opened, std::move(lists), part);
  add(part, problems);
}

void LiveTenant::add(const std::vector<Receipt>& rows,
                     const std::optional<ReceiptCoverage>& coverage, Instant told,
                     std::vector<std::string>& problems) {
  TenantInput part;
  for (const Receipt& row : rows) add_row(part, row, told);
  if (coverage) part.receipt_coverage.push_back(*coverage);
  add(part, problems);
}

void LiveTenant::note(const LedgerCoverage& claim) {
  if (!claim.source.complete || claim.source.observes.empty()) return;
  const Instant from = claim.source.complete->from;
  read_from_ = std::min(read_from_.value_or(from), from);
}

void LiveTenant::set_people(EntriesOfPeople people) {
  const bool any_before = !words_.empty() || !decisions_.empty();
  // Findings name nobody.
  words_ = WordsOfPeople{people.testimony, WordsOfPeople::Persons::kLeftOut};
  decisions_ = std::move(people.decisions);
  people_changed_ = people_changed_ || any_before || !words_.empty() || !decisions_.empty();
}

std::vector<LiveFinding> LiveTenant::settle(Instant now) {
  std::vector<LiveFinding> out;
  correlator_.settle(now, [&](const Correlator::Change& change) { take(change, now, out); });
  if (people_changed_) consider_all(now, out);
  while (!looks_.empty() && looks_.begin()->first <= now) {
    const auto waited = undecided_.find(looks_.begin()->second);
    const MessageVerdict message = std::move(waited->second.message);
    stop_waiting(message.message);
    consider(message, now, out);
  }
  const auto visit_all = [this](const auto& use) { correlator_.visit(use); };
  fault_ = watch_.fault(visit_all, fixed_since_);
  if (const auto told = told_of(""); tells_latent_fault(fault_, told)) {
    tell(latent_finding(tenant_.id, tenant_.name, fault_, told, now), out);
  }
  return out;
}

void LiveTenant::take(const Correlator::Change& change, Instant now,
                      std::vector<LiveFinding>& out) {
  watch_.note(change);
  const std::string& name = change.message.message;
  stop_waiting(name);
  if (!change.gone) {
    MessageVerdict message = with_words(change.message);
    // What people newly told may be of any message, and an incident that opens again concerns all
    // of its messages: all are considered afterwards.
    people_changed_ = people_changed_ || is_worse_than_closed(message);
    if (!people_changed_) consider(message, now, out);
    return;
  }
  causes_.drop(name);
  if (const auto told = told_of(name); tells_withdrawal(told)) {
    tell(withdrawn_finding(tenant_.id, tenant_.name, name, *told, now), out);
  }
}

void LiveTenant::consider_all(Instant now, std::vector<LiveFinding>& out) {
  people_changed_ = false;
  find_closed(now);
  causes_.clear();
  correlator_.visit([&](const MessageVerdict& message) {
    stop_waiting(message.message);
    consider(with_words(message), now, out);
  });
}

// What is closed when people say so. A message that joins such an incident later is not among them,
// and is told; one that gets worse has it looked up again.
void LiveTenant::find_closed(Instant now) {
  closed_.clear();
  const bool any = std::any_of(decisions_.begin(), decisions_.end(), [](const auto& decision) {
    return decision.kind == DecisionKind::kClose;
  });
  if (!any) return;
  Correlation some;
  some.tenant = tenant_.id;
  some.now = now;
  correlator_.visit([&](const MessageVerdict& message) {
    MessageVerdict told = with_words(message);
    if (belongs_to_an_incident(told.verdict)) some.messages.push_back(std::move(told));
  });
  std::sort(some.messages.begin(), some.messages.end(),
            [](const auto& a, const auto& b) { return a.message < b.message; });
  for (const Incident& incident : apply_decisions(some, group_incidents(some), decisions_)) {
    if (!incident.closed_by_person) continue;
    for (const std::string& name : incident.messages) {
      const auto at = std::lower_bound(
          some.messages.begin(), some.messages.end(), name,
          [](const MessageVerdict& message, const std::string& n) { return message.message < n; });
      for (std::string& known : names_of(*at)) closed_[std::move(known)] = severity(at->verdict);
    }
  }
}

MessageVerdict LiveTenant::with_words(const MessageVerdict& message) const {
  MessageVerdict out = message;
  words_.apply(out);
  return out;
}

bool LiveTenant::is_worse_than_closed(const MessageVerdict& message) const {
  if (closed_.empty() || !needs_action(message.verdict)) return false;
  const std::vector<std::string> names = names_of(message);
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    const auto at = closed_.find(name);
    return at != closed_.end() && at->second < severity(message.verdict);
  });
}

bool LiveTenant::is_seen_to(const MessageVerdict& message) const {
  if (message.sender_mistaken) return true;
  if (closed_.empty()) return false;
  const std::vector<std::string> names = names_of(message);
  return std::any_of(names.begin(), names.end(),
                     [this](const std::string& name) { return closed_.count(name) != 0; });
}

void LiveTenant::consider(const MessageVerdict& message, Instant now,
                          std::vector<LiveFinding>& out) {
  causes_.note(message);
  if (needs_action(message.verdict) && is_seen_to(message)) return;
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

SystemicWatch::Sight LiveTenant::sight(Instant now) const {
  SystemicWatch::Sight out;
  out.causes = causes_.parts();
  if (fault_) {
    const CausePart part{std::string{kCauseReceiptFirst}, Verdict::kStoredAfterReceipt,
                         fault_->first, fault_->last, fault_->messages};
    out.causes.insert(std::lower_bound(out.causes.begin(), out.causes.end(), part), part);
  }
  out.messages = correlator_.message_count();
  // The time that a fleet report asks about (asked_of, view.h), but for losses before it.
  const Instant end = now - kAnsweredWithin;
  const Instant begin = activated_ ? *activated_ : read_from_.value_or(tenant_.created);
  out.covered = hole_in(correlator_.coverage(), {std::min(begin, end), end}).empty();
  const auto any = [this](std::initializer_list<Verdict> verdicts) {
    return std::any_of(verdicts.begin(), verdicts.end(),
                       [this](Verdict verdict) { return correlator_.count(verdict) > 0; });
  };
  const bool lost = any({Verdict::kLost, Verdict::kMissing, Verdict::kRecovered});
  const bool undecided =
      any({Verdict::kPending, Verdict::kInDoubt, Verdict::kUnverifiable, Verdict::kUndelivered,
           Verdict::kFallbackStalled, Verdict::kNoFailureSeen});
  out.answered = lost || (out.covered && !undecided);
  return out;
}

std::optional<Instant> LiveTenant::next_due() const {
  std::optional<Instant> out = correlator_.next_due();
  if (!looks_.empty() && (!out || looks_.begin()->first < *out)) out = looks_.begin()->first;
  return out;
}

}  // namespace meldevakt::collector
