// The failures among the open steps, and the bookkeeping of open steps.
#include <algorithm>
#include <utility>

#include "agent/detect/detector_state.h"

namespace meldevakt::agent {
namespace {

constexpr auto kDecided = OpenStep::Owner::kDecided;
constexpr auto kDoubtful = OpenStep::Owner::kDoubtful;

bool is_urgent(const Fact& fact) {
  const auto* const step = std::get_if<StepFact>(&fact.what);
  if (step == nullptr) return std::holds_alternative<WindowFact>(fact.what);
  return step->signal == Signal::kMessageSaveFailed || step->signal == Signal::kMessageAcknowledged;
}

void add(std::vector<std::uint64_t>& ids, std::uint64_t id) {
  const auto at = std::lower_bound(ids.begin(), ids.end(), id);
  if (at == ids.end() || *at != id) ids.insert(at, id);
}

template <typename Index, typename Key>
void take_out(Index& index, const Key& key, std::uint64_t id) {
  const auto found = index.find(key);
  if (found == index.end()) return;
  std::erase(found->second, id);
  if (found->second.empty()) index.erase(found);
}

}  // namespace

// --- failures ---------------------------------------------------------------------------------

// The latest open failure that `record` tells of too.
std::optional<std::uint64_t> Detector::State::failure_of(const OpenStep& record) const {
  Ids ids = ids_in_scope(record.scopes);
  for (const Reference& reference : record.step().references) {
    const auto found = by_reference.find(reference);
    if (found == by_reference.end()) continue;
    for (const std::uint64_t id : found->second) add(ids, id);
  }
  if (const auto latest_one = latest_failure_of(record.log)) add(ids, *latest_one);
  for (auto id = ids.rbegin(); id != ids.rend(); ++id) {
    if (is_same_failure(open.find(*id)->second, record)) return *id;
  }
  return std::nullopt;
}

bool Detector::State::is_same_failure(const OpenStep& failure, const OpenStep& record) const {
  if (!failure.joins || distance(failure.last, record.last) > settings.failure_join) return false;
  if (failure.last_record == record.last_record) return true;
  // Each log tells its own: in which order two are read must not matter.
  if (failure.log != record.log) return false;
  const bool in_scope = failure.joins_scope && in_same_scope(failure.scopes, record.scopes);
  const StepFact& one = failure.step();
  const StepFact& other = record.step();
  if (one.references.empty() && other.references.empty()) {
    return in_scope && one.candidates.empty() && other.candidates.empty();
  }
  if (!aliases.same(one.references, other.references)) return false;
  if (failure.owner == kDecided && record.owner == kDecided) return true;
  // Whose they are is in doubt, but it is the same doubt.
  return in_scope && failure.owner == kDoubtful && record.owner == kDoubtful;
}

void Detector::State::join(std::uint64_t id, const OpenStep& record, Instant now) {
  OpenStep& failure = open.find(id)->second;
  StepFact& step = failure.step();
  const StepFact& more = record.step();
  if (failure.last_record != record.last_record) ++step.records;
  failure.outcome = worse_outcome(failure.outcome, record.outcome);
  step.outcome = outcome_or_default(failure.outcome);
  if (more_specific(more.code, step.code)) step.code = more.code;
  if (!step.form) step.form = more.form;
  if (step.district.empty()) step.district = more.district;
  step.time_error = std::max(step.time_error, more.time_error);
  if (more.attribution == Attribution::kNamed && !step.references.empty()) {
    step.attribution = Attribution::kNamed;
    merge_references(step.references, more.references);
    index_references(id, step.references);
  }
  failure.last_record = record.last_record;
  move_to(id, record.last);
  change(failure, now);
  latest = failure.fact;
  logs[failure.log].latest_failure = id;
}

void Detector::State::start_failure(OpenStep& made) {
  StepFact& step = made.step();
  made.joins = true;
  made.joins_scope = !made.scopes.empty();
  for (const Hint& hint :
       hints.take(made.scopes, made.last_record, made.last, settings.failure_join)) {
    const bool others = !hint.references.empty() && !step.references.empty() &&
                        !aliases.same(hint.references, step.references);
    if (others) continue;
    made.outcome = worse_outcome(made.outcome, hint.outcome);
    if (more_specific(hint.code, step.code)) step.code = hint.code;
    if (hint.record != made.last_record) ++step.records;
  }
  step.outcome = outcome_or_default(made.outcome);
}

// A db.* record: part of a failure of its scope that is open, or of one to come.
void Detector::State::add_hint(const SignalEvent& event, const std::string& record, Instant now) {
  if (event.code.empty() && !event.outcome) return;
  Ids ids = ids_in_scope(event.scopes);
  if (const auto latest_one = latest_failure_of(event.log)) add(ids, *latest_one);
  for (auto id = ids.rbegin(); id != ids.rend(); ++id) {
    OpenStep& failure = open.find(*id)->second;
    StepFact& step = failure.step();
    if (!failure.joins || distance(failure.last, event.time) > settings.failure_join) continue;
    const bool same_record = failure.last_record == record;
    const bool in_scope = failure.joins_scope && in_same_scope(failure.scopes, event.scopes);
    const bool others = !event.references.empty() && !step.references.empty() &&
                        !aliases.same(event.references, step.references);
    if (others || !(same_record || in_scope)) continue;
    failure.outcome = worse_outcome(failure.outcome, event.outcome);
    step.outcome = outcome_or_default(failure.outcome);
    if (more_specific(event.code, step.code)) step.code = event.code;
    if (!same_record) ++step.records;
    failure.last_record = record;
    move_to(*id, event.time);
    change(failure, now);
    latest = failure.fact;
    return;
  }
  hints.add({event.time, record, event.scopes, event.references, event.code, event.outcome});
}

// --- open steps -------------------------------------------------------------------------------

Detector::State::Ids Detector::State::ids_in_scope(const std::vector<std::string>& in) const {
  Ids ids;
  for (const std::string& key : in) {
    const auto found = by_scope.find(key);
    if (found == by_scope.end()) continue;
    for (const std::uint64_t id : found->second) {
      if (in_same_scope(open.find(id)->second.scopes, in)) add(ids, id);
    }
  }
  return ids;
}

std::optional<std::uint64_t> Detector::State::latest_failure_of(const std::string& log) const {
  const auto found = logs.find(log);
  if (found == logs.end() || !found->second.latest_failure) return std::nullopt;
  if (open.find(*found->second.latest_failure) == open.end()) return std::nullopt;
  return found->second.latest_failure;
}

void Detector::State::insert(std::uint64_t id, OpenStep step) {
  by_time[step.log].emplace(step.last, id);
  for (const std::string& key : step.scopes) add(by_scope[key], id);
  if (step.joins) {
    logs[step.log].latest_failure = id;
    if (step.owner == kDecided) index_references(id, step.step().references);
  }
  open.emplace(id, std::move(step));
}

void Detector::State::index_references(std::uint64_t id, const std::vector<Reference>& references) {
  for (const Reference& reference : references) add(by_reference[reference], id);
}

void Detector::State::forget_time(const OpenStep& step, std::uint64_t id) {
  const auto times = by_time.find(step.log);
  times->second.erase({step.last, id});
  if (times->second.empty()) by_time.erase(times);
}

void Detector::State::move_to(std::uint64_t id, Instant time) {
  OpenStep& step = open.find(id)->second;
  std::set<std::pair<Instant, std::uint64_t>>& times = by_time[step.log];
  times.erase({step.last, id});
  step.last = time;
  times.emplace(time, id);
}

void Detector::State::decide(std::uint64_t id) {
  OpenStep& step = open.find(id)->second;
  step.owner = kDecided;
  if (!step.joins) {
    finish(id);
  } else {
    index_references(id, step.step().references);
  }
}

void Detector::State::finish(std::uint64_t id) {
  const auto found = open.find(id);
  OpenStep& step = found->second;
  tell(step);
  count_final(step.step());
  forget_time(step, id);
  for (const std::string& key : step.scopes) take_out(by_scope, key, id);
  for (const Reference& reference : step.step().references) take_out(by_reference, reference, id);
  open.erase(found);
}

void Detector::State::change(OpenStep& step, Instant now) {
  if (step.told == step.fact.revision) step.changed = now;
  ++step.fact.revision;
}

void Detector::State::tell(OpenStep& step) {
  if (step.told == step.fact.revision) return;
  step.told = step.fact.revision;
  push(step.fact);
}

void Detector::State::push(Fact fact) {
  urgent = urgent || is_urgent(fact);
  ready.push_back(std::move(fact));
}

void Detector::State::count_final(const StepFact& step) {
  if (step.attribution == Attribution::kAmbiguous) ++stats.ambiguous;
  if (step.attribution == Attribution::kNone) ++stats.unattributed;
}

void Detector::State::tell_windows(std::vector<OverloadWindows::Told> told) {
  for (OverloadWindows::Told& one : told) {
    push({std::move(one.id), one.revision, settings.source, std::move(one.rule),
          std::move(one.fact)});
  }
}

}  // namespace meldevakt::agent
