#include "agent/detect/life_tracker.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "agent/detect/life_tracker_state.h"

namespace meldevakt::agent {
namespace {

bool is_followed(Signal signal) {
  return signal == Signal::kMessageSaveFailed || signal == Signal::kMessageCommitted ||
         signal == Signal::kMessageAcknowledged;
}

std::string in_seconds(Duration length) {
  std::string out = std::to_string(length.ms / 1000);
  if (length.ms % 1000 != 0) {
    const std::string digits = std::to_string(1000 + length.ms % 1000);
    out += "." + digits.substr(1);
  }
  return out + " s";
}

std::string how_it_failed(const LifeStep& step) {
  std::string how = step.code;
  const std::string between = how.empty() ? "" : ", ";
  switch (step.outcome.value_or(Outcome::kFailed)) {
    case Outcome::kFailed: break;
    case Outcome::kRolledBack: how += between + "rolled back"; break;
    case Outcome::kUnknown: how += between + "it may or may not have been stored"; break;
  }
  return how.empty() ? "" : " (" + how + ")";
}

}  // namespace

std::string_view to_string(FindingKind kind) {
  switch (kind) {
    case FindingKind::kFailedCommit: return "failed_commit";
    case FindingKind::kReceiptWithoutCommit: return "receipt_without_commit";
    case FindingKind::kReceiptBeforeCommit: return "receipt_before_commit";
  }
  return "";
}

LifeTracker::LifeTracker(Settings settings) : state_{std::make_unique<State>()} {
  state_->settings = settings;
}
LifeTracker::~LifeTracker() = default;
LifeTracker::LifeTracker(LifeTracker&&) noexcept = default;
LifeTracker& LifeTracker::operator=(LifeTracker&&) noexcept = default;

void LifeTracker::add(const Fact& fact) {
  State& s = *state_;
  if (const auto* const alias = std::get_if<AliasFact>(&fact.what)) {
    s.join(alias->references, alias->time);
    return;
  }
  const auto* const step = std::get_if<StepFact>(&fact.what);
  if (step == nullptr) return;
  if (!is_followed(step->signal)) {
    if (step->references.size() > 1) s.join(step->references, step->time);
    return;
  }
  if (const auto known = s.life_of_step.find(fact.id); known != s.life_of_step.end()) {
    if (s.lives.at(known->second).steps.at(fact.id).revision >= fact.revision) return;
    s.take_out(fact.id);
  }
  const bool failed = step->signal == Signal::kMessageSaveFailed;
  if (step->references.empty() && !failed) return;  // a commit or receipt of nobody knows whom
  LifeStep kept{fact.revision, step->signal, step->time,       step->outcome,
                step->code,    fact.source,  step->candidates, step->time_error};
  s.put(fact.id, std::move(kept), s.join(step->references, step->time));
  s.keep_bounds();
}

std::vector<Finding> LifeTracker::findings(Instant watermark) {
  State& s = *state_;
  std::vector<Finding> out;
  std::vector<std::uint64_t> settled;
  for (const std::uint64_t id : s.waiting) {
    Life& life = s.lives.at(id);
    s.judge(life, watermark, out);
    if (life.last + s.settings.grace <= watermark) settled.push_back(id);
  }
  for (const std::uint64_t id : settled) {
    s.lives.at(id).settled = true;
    s.waiting.erase(id);
  }
  while (!s.lives.empty() && s.lives.begin()->second.last + s.settings.keep < watermark) {
    s.forget(s.lives.begin()->first);
  }
  std::sort(out.begin(), out.end(), [](const Finding& a, const Finding& b) {
    return std::tie(a.time, a.kind, a.references) < std::tie(b.time, b.kind, b.references);
  });
  return out;
}

std::vector<Instant> LifeTracker::deadlines() const {
  std::vector<Instant> out;
  for (const std::uint64_t id : state_->waiting) {
    for (const auto& one : state_->suspicions(state_->lives.at(id))) out.push_back(one.deadline);
  }
  std::sort(out.begin(), out.end());
  return out;
}

// --- lives ------------------------------------------------------------------------------------

// The one life that all these names are of; a new one when none of them is known.
std::uint64_t LifeTracker::State::join(const std::vector<Reference>& names, Instant time) {
  std::set<std::uint64_t> known;
  for (const Reference& name : names) {
    const auto found = life_of.find(name);
    if (found != life_of.end()) known.insert(found->second);
  }
  std::uint64_t id = next;
  if (known.empty()) {
    lives.emplace(next++, Life{});
  } else {
    id = *known.begin();
    for (auto other = std::next(known.begin()); other != known.end(); ++other) adopt(id, *other);
  }
  lives.at(id).last = std::max(lives.at(id).last, time);
  std::vector<Reference>& all = lives.at(id).names;
  for (const Reference& name : names) {
    const auto at = std::lower_bound(all.begin(), all.end(), name);
    if (at == all.end() || *at != name) all.insert(at, name);
    life_of[name] = id;
  }
  return id;
}

void LifeTracker::State::adopt(std::uint64_t into, std::uint64_t from) {
  Life other = std::move(lives.at(from));
  forget(from);
  Life& life = lives.at(into);
  for (const Reference& name : other.names) {
    const auto at = std::lower_bound(life.names.begin(), life.names.end(), name);
    if (at == life.names.end() || *at != name) life.names.insert(at, name);
    life_of[name] = into;
  }
  for (std::size_t kind = 0; kind < kFindingKinds; ++kind) {
    life.told.at(kind) = life.told.at(kind) || other.told.at(kind);
  }
  life.last = std::max(life.last, other.last);
  for (auto& [id, step] : other.steps) put(id, std::move(step), into);
}

void LifeTracker::State::put(const std::string& id, LifeStep step, std::uint64_t in) {
  Life& life = lives.at(in);
  life.last = std::max(life.last, step.latest());
  life.settled = false;
  life.steps.insert_or_assign(id, std::move(step));
  life_of_step[id] = in;
  waiting.insert(in);
  if (life.complete()) complete.insert(in);
}

// A life that is left without names and steps is nobody's.
void LifeTracker::State::take_out(const std::string& id) {
  const std::uint64_t in = life_of_step.at(id);
  Life& life = lives.at(in);
  life.steps.erase(id);
  life_of_step.erase(id);
  if (!life.complete()) complete.erase(in);
  if (life.names.empty()) forget(in);
}

void LifeTracker::State::forget(std::uint64_t id) {
  const auto found = lives.find(id);
  for (const Reference& name : found->second.names) life_of.erase(name);
  for (const auto& [step, what] : found->second.steps) life_of_step.erase(step);
  waiting.erase(id);
  complete.erase(id);
  lives.erase(found);
}

void LifeTracker::State::keep_bounds() {
  while (lives.size() > std::max<std::size_t>(settings.lives_max, 1)) {
    const auto done = std::find_if(complete.begin(), complete.end(),
                                   [this](std::uint64_t id) { return lives.at(id).settled; });
    forget(done != complete.end() ? *done : lives.begin()->first);
  }
}

// --- judging ----------------------------------------------------------------------------------

void LifeTracker::State::judge(Life& life, Instant watermark, std::vector<Finding>& out) const {
  for (const Suspicion& one : suspicions(life)) {
    if (one.deadline > watermark) continue;
    life.told.at(static_cast<std::size_t>(one.kind)) = true;
    out.push_back({one.kind, life.names, one.step->time, one.step->source, one.step->code,
                   sentence_of(life, one)});
  }
}

std::vector<LifeTracker::State::Suspicion> LifeTracker::State::suspicions(const Life& life) const {
  std::vector<Suspicion> out;
  const auto add = [&](FindingKind kind, const LifeStep& step, Instant deadline) {
    if (!life.told.at(static_cast<std::size_t>(kind))) out.push_back({kind, &step, deadline});
  };
  if (const LifeStep* const failure = first_failure_left(life)) {
    add(FindingKind::kFailedCommit, *failure, failure->latest() + settings.grace);
  }
  const LifeStep* const receipt = life.earliest(Signal::kMessageAcknowledged);
  if (receipt == nullptr || !settings.commits_are_observed) return out;
  const LifeStep* const commit = life.earliest(Signal::kMessageCommitted);
  // What may only seem so, because a time is in doubt, is not told.
  const Instant until = receipt->latest() + settings.grace;
  if (commit == nullptr || commit->soonest() > until) {
    add(FindingKind::kReceiptWithoutCommit, *receipt, until);
  }
  if (commit != nullptr && receipt->latest() < commit->soonest()) {
    add(FindingKind::kReceiptBeforeCommit, *commit, commit->latest());
  }
  return out;
}

// The earliest failed save after which no commit came in time.
const LifeStep* LifeTracker::State::first_failure_left(const Life& life) const {
  const LifeStep* first = nullptr;
  for (const auto& [id, step] : life.steps) {
    if (step.signal != Signal::kMessageSaveFailed) continue;
    if (life.has_commit_after(step, settings.grace) || all_committed(step)) continue;
    if (first == nullptr || step.time < first->time) first = &step;
  }
  return first;
}

std::string LifeTracker::State::sentence_of(const Life& life, const Suspicion& suspicion) const {
  const LifeStep& step = *suspicion.step;
  const std::string within = " within " + in_seconds(settings.grace);
  switch (suspicion.kind) {
    case FindingKind::kReceiptWithoutCommit:
      return "The sender was told that the message arrived, but no commit was logged" + within +
             ".";
    case FindingKind::kReceiptBeforeCommit: {
      const Instant receipt = life.earliest(Signal::kMessageAcknowledged)->time;
      return "The receipt was sent " + in_seconds(step.time - receipt) +
             " before the message was committed: had the save failed, the message would be lost.";
    }
    case FindingKind::kFailedCommit: break;
  }
  std::string sentence =
      "A save failed" + how_it_failed(step) + " and no later commit was logged" + within;
  if (!step.candidates.empty()) {
    sentence += "; the log leaves open which of several messages it was";
  } else if (life.names.empty()) {
    sentence += "; the log does not say which message it was";
  } else if (life.earliest(Signal::kMessageAcknowledged) != nullptr) {
    sentence += ", but the sender was told that the message arrived";
  }
  return sentence + ".";
}

// True for a failure of one of several messages, all of which were stored after all.
bool LifeTracker::State::all_committed(const LifeStep& failure) const {
  return !failure.candidates.empty() &&
         std::all_of(failure.candidates.begin(), failure.candidates.end(),
                     [&](const Reference& candidate) {
                       const auto found = life_of.find(candidate);
                       return found != life_of.end() &&
                              lives.at(found->second).has_commit_after(failure, settings.grace);
                     });
}

}  // namespace meldevakt::agent
