#include "agent/detect/detector.h"

#include <algorithm>
#include <utility>

#include "agent/detect/detector_state.h"
#include "common/base/limits.h"
#include "common/ports/sha256.h"
#include "common/summary/forms.h"

namespace meldevakt::agent {
namespace {

using Names = Heard::Names;

constexpr std::size_t kFactIdDigits = 32;
// For facts of records that no rule matched: they are there for their references alone.
constexpr std::string_view kNoRule = "record";

std::string fact_id(const std::string& key, std::string_view record, std::string_view what) {
  return hmac_sha256(key, std::string{record} + "|" + std::string{what})
      .hex()
      .substr(0, kFactIdDigits);
}

// Each message has one of these; a record that names two of one type names two messages.
bool is_unique(ReferenceType type) {
  return type == ReferenceType::kPortalMessageId || type == ReferenceType::kClientId;
}

Names names_in(const SignalEvent& event) {
  if (event.references.empty()) {
    return event.references_dropped > 0 ? Names::kUnnameable : Names::kNothing;
  }
  const auto two = [](const Reference& a, const Reference& b) {
    return a.type == b.type && is_unique(a.type);
  };
  const bool several = std::adjacent_find(event.references.begin(), event.references.end(), two) !=
                       event.references.end();
  return several ? Names::kSeveral : Names::kOne;
}

bool begins_life(const SignalEvent& event) {
  return event.signal == Signal::kMessageReceived;
}

bool begins_attempt(const SignalEvent& event) {
  return event.signal == Signal::kMessageReceived || event.signal == Signal::kMessageRetried ||
         event.signal == Signal::kMessageCommitted;
}

bool may_be_cause(Signal signal) {
  return signal >= Signal::kDbTimeout && signal <= Signal::kDbConnectionLost;
}

// What comes from outside in the form that the wire demands; its scopes as those of its log.
SignalEvent tidy(const SignalEvent& event) {
  SignalEvent out = event;
  const std::string prefix = scope_prefix(event.log);
  for (std::string& scope : out.scopes) scope.insert(0, prefix);
  if (!is_name(out.rule)) out.rule = kNoRule;
  if (!out.code.empty() && !is_code(out.code)) out.code.clear();
  if (!out.driver.empty() && !is_code(out.driver)) out.driver.clear();
  std::sort(out.references.begin(), out.references.end());
  out.references.erase(std::unique(out.references.begin(), out.references.end()),
                       out.references.end());
  return out;
}

}  // namespace

Detector::State::State(Settings new_settings, Limits new_limits)
    : settings{std::move(new_settings)},
      limits{new_limits},
      scopes{settings.scope_age_max, limits.scopes_max},
      windows{{settings.window_idle, settings.decide_after, settings.window_refresh}} {}

Detector::Detector(Settings settings) : Detector{std::move(settings), Limits{}} {}
Detector::Detector(Settings settings, Limits limits)
    : state_{std::make_unique<State>(std::move(settings), limits)} {}
Detector::~Detector() = default;
Detector::Detector(Detector&&) noexcept = default;
Detector& Detector::operator=(Detector&&) noexcept = default;

void Detector::observe(const SignalEvent& raw, std::string_view record_name, Instant now) {
  State& s = *state_;
  SignalEvent event = tidy(raw);
  s.place(event);
  const std::string record = std::string{record_name} + "|" + std::to_string(event.offset);
  const auto id = [&](std::string_view suffix) {
    return fact_id(s.settings.fact_key, record, event.rule + std::string{suffix});
  };
  s.latest.reset();
  s.enter(record);
  s.expire(event);
  if (event.restarts_process && !std::exchange(s.current.restarted, true)) {
    s.restart_process(event.log);
  }
  const Heard heard = s.hear(event, event.references.size() > 1 ? id("#alias") : "", now);
  if (event.signal && is_message_signal(*event.signal)) {
    if (begins_attempt(event)) s.end_attempt(event, heard);
    s.add_step(event, heard, {record, id("")}, now);
  } else if (event.signal && may_be_cause(*event.signal)) {
    s.add_hint(event, record, now);
  }
  if (event.signal) {
    s.tell_windows(
        s.windows.observe(event, event.opens_window || event.lasted ? id("#window") : "", now));
  }
  if (event.ends_scope) s.current.ending = event.scopes;
  s.keep_bounds(event.scopes);
  s.stats.scopes_evicted = s.scopes.evicted();
}

void Detector::idle(Instant watermark, Instant now) {
  State& s = *state_;
  for (auto& [id, step] : s.open) {
    if (step.told == step.fact.revision) continue;
    Duration settles{0};
    if (step.owner != OpenStep::Owner::kDecided) settles = s.settings.look_back_max;
    if (step.joins) settles = std::max(settles, s.settings.failure_join);
    // A wall clock that was set back must not keep anybody waiting.
    const bool due = now - step.changed >= s.settings.decide_after || now < step.changed;
    if (due || watermark > step.last + settles) s.tell(step);
  }
  s.tell_windows(s.windows.tell(watermark, now));
}

std::vector<Fact> Detector::drain() {
  state_->urgent = false;
  return std::exchange(state_->ready, {});
}

bool Detector::has_ready() const {
  return !state_->ready.empty();
}

bool Detector::has_urgent() const {
  return state_->urgent;
}

std::optional<Instant> Detector::earliest_untold() const {
  std::optional<Instant> earliest;
  for (const auto& [id, step] : state_->open) {
    if (step.told == step.fact.revision) continue;
    if (!earliest || step.step().time < *earliest) earliest = step.step().time;
  }
  return earliest;
}

const std::optional<Fact>& Detector::latest() const {
  return state_->latest;
}

const Detector::Stats& Detector::stats() const {
  return state_->stats;
}

// --- one event --------------------------------------------------------------------------------

// A time in doubt does not go back behind the record before, where the doubt reaches so far: the
// order of records says more than the time.
void Detector::State::place(SignalEvent& event) {
  const Duration error = time_error_of(event.time_doubt);
  const auto [last, is_first] = logs.emplace(event.log, LogPlace{event.time, std::nullopt});
  Instant& before = last->second.time;
  if (!is_first && event.time < before && before - event.time <= error) event.time = before;
  before = event.time;
  if (logs.size() <= limits.logs_max) return;
  logs.erase(std::min_element(logs.begin(), logs.end(), [](const auto& one, const auto& other) {
    return one.second.time < other.second.time;
  }));
}

void Detector::State::enter(const std::string& record) {
  if (current.key == record) return;
  if (!current.ending.empty()) end_scopes(current.ending);
  current = {record, false, false, {}};
}

// Finishes what is too far away in event time, either way, for any later rule to reach it.
void Detector::State::expire(const SignalEvent& event) {
  const Instant time = event.time;
  const Duration reach = std::max(settings.look_back_max, settings.failure_join);
  for (auto steps = by_time.find(event.log); steps != by_time.end();
       steps = by_time.find(event.log)) {
    const auto& [oldest, first] = *steps->second.begin();
    const auto& [newest, last] = *steps->second.rbegin();
    if (oldest >= time - reach && newest <= time + reach) break;
    finish(oldest < time - reach ? first : last);
  }
  scopes.purge(time, scope_prefix(event.log));
  tell_windows(windows.pass(event.over_since.value_or(time)));
}

void Detector::State::restart_process(const std::string& log) {
  Ids ended;
  if (const auto steps = by_time.find(log); steps != by_time.end()) {
    for (const auto& [last, id] : steps->second) ended.push_back(id);
  }
  std::sort(ended.begin(), ended.end());  // told in the order of their records
  for (const std::uint64_t id : ended) finish(id);
  scopes.end_all(scope_prefix(log));
  hints.drop_all(scope_prefix(log));
  current.ending.clear();
}

Heard Detector::State::hear(const SignalEvent& event, const std::string& alias_id, Instant now) {
  Heard heard;
  heard.names = names_in(event);
  current.unnameable = current.unnameable || heard.names == Names::kUnnameable;
  if (heard.names == Names::kNothing && current.unnameable) heard.names = Names::kUnnameable;
  if (heard.names == Names::kOne) {
    if (aliases.learn(event.references)) {
      Fact fact{alias_id, 0, settings.source, event.rule, AliasFact{event.time, {}}};
      merge_references(std::get_if<AliasFact>(&fact.what)->references, event.references);
      push(std::move(fact));
    }
    name_waiting(event, now);
    const bool turned = scopes.name(event.scopes, event.references, event.time, aliases);
    if (turned || begins_life(event)) hints.drop(event.scopes);
    return heard;
  }
  if (heard.names != Names::kNothing || begins_life(event)) {
    // Another message than the one before, but none that can be held to.
    stop_waiting(event.scopes);
    hints.drop(event.scopes);
    scopes.end(event.scopes);
    return heard;
  }
  heard.holder = scopes.holder(event.scopes, event.time);
  heard.surely = heard.holder && heard.holder->since <= settings.look_back_max;
  if (heard.surely) {
    scopes.confirm(event.scopes, *heard.holder, event.time);
  } else {
    scopes.touch(event.scopes, event.time);
  }
  return heard;
}

// A message was received, tried again or committed: a failure after this is another one.
void Detector::State::end_attempt(const SignalEvent& event, const Heard& heard) {
  const std::vector<Reference>* const owner = heard.owner(event.references);
  Ids ids = ids_in_scope(event.scopes);
  if (owner != nullptr) {
    for (const Reference& reference : *owner) {
      const auto found = by_reference.find(reference);
      if (found != by_reference.end()) {
        ids.insert(ids.end(), found->second.begin(), found->second.end());
      }
    }
  }
  for (const std::uint64_t id : ids) {
    const auto found = open.find(id);
    if (found == open.end() || !found->second.joins) continue;
    if (found->second.log != event.log) continue;
    const std::vector<Reference>& whose = found->second.step().references;
    if (owner != nullptr && !whose.empty() && !aliases.same(*owner, whose)) continue;
    found->second.joins = false;
    if (found->second.owner == OpenStep::Owner::kDecided) finish(id);
  }
  hints.drop(event.scopes);
}

void Detector::State::add_step(const SignalEvent& event, const Heard& heard, Identity identity,
                               Instant now) {
  OpenStep made;
  made.fact = {std::move(identity.id), 0, settings.source, event.rule, StepFact{}};
  made.log = event.log;
  made.scopes = event.scopes;
  made.last = event.time;
  made.last_record = std::move(identity.record);
  made.changed = now;
  StepFact& step = made.step();
  step.signal = *event.signal;
  step.time = event.time;
  step.time_error = time_error_of(event.time_doubt);
  step.code = event.code;
  step.form = event.form;
  step.district = event.district;
  attribute(made, event, heard);

  if (step.signal == Signal::kMessageSaveFailed) {
    made.outcome = event.outcome;
    if (const std::optional<std::uint64_t> failure = failure_of(made)) {
      join(*failure, made, now);
      return;
    }
    start_failure(made);
  }
  latest = made.fact;
  if (made.owner == OpenStep::Owner::kDecided && !made.joins) {
    count_final(step);
    push(std::move(made.fact));
  } else {
    insert(next_step++, std::move(made));
  }
}

// The part that only the record and what was said before it decide; name_waiting() does the rest.
void Detector::State::attribute(OpenStep& made, const SignalEvent& event,
                                const Heard& heard) const {
  StepFact& step = made.step();
  if (heard.names == Names::kOne) {
    step.attribution = Attribution::kNamed;
    merge_references(step.references, event.references);
  } else if (heard.names == Names::kSeveral) {
    step.attribution = Attribution::kAmbiguous;
    step.candidates = event.references;
    step.candidates.resize(std::min(step.candidates.size(), limits::kCandidatesPerFactMax));
  } else if (heard.holder) {
    step.attribution = Attribution::kScope;
    step.references = heard.holder->references;
    made.owner = heard.surely ? OpenStep::Owner::kDecided : OpenStep::Owner::kDoubtful;
  } else if (heard.names == Names::kNothing && !event.scopes.empty()) {
    made.owner = OpenStep::Owner::kWaiting;
  }
}

void Detector::State::end_scopes(const std::vector<std::string>& ended) {
  for (const std::uint64_t id : ids_in_scope(ended)) {
    OpenStep& step = open.find(id)->second;
    step.joins_scope = false;
    if (step.owner != OpenStep::Owner::kDecided) decide(id);
  }
  hints.drop(ended);
  scopes.end(ended);
}

void Detector::State::keep_bounds(const std::vector<std::string>& scopes_of_event) {
  if (!scopes_of_event.empty()) {
    const auto found = by_scope.find(scopes_of_event.back());
    Ids waiting;
    for (const std::uint64_t id : found == by_scope.end() ? Ids{} : found->second) {
      if (open.find(id)->second.owner != OpenStep::Owner::kDecided) waiting.push_back(id);
    }
    for (std::size_t i = settings.look_back_signals_max; i < waiting.size(); ++i) {
      ++stats.steps_forced;
      decide(waiting[i - settings.look_back_signals_max]);
    }
  }
  while (open.size() > limits.open_steps_max) {
    ++stats.steps_forced;
    finish(open.begin()->first);
  }
}

// --- whose a step is --------------------------------------------------------------------------

// A record names its message: steps of its scope that waited for a name are decided by it.
void Detector::State::name_waiting(const SignalEvent& event, Instant now) {
  for (const std::uint64_t id : ids_in_scope(event.scopes)) {
    OpenStep& waiting = open.find(id)->second;
    StepFact& step = waiting.step();
    const bool near = distance(event.time, step.time) <= settings.look_back_max;
    if (waiting.owner == OpenStep::Owner::kDecided) continue;
    if (near && !begins_life(event)) {
      if (waiting.owner == OpenStep::Owner::kWaiting) {
        step.attribution = Attribution::kLookBack;
        merge_references(step.references, event.references);
        if (waiting.joins) index_references(id, step.references);
        change(waiting, now);
      } else if (!aliases.same(step.references, event.references)) {
        step.attribution = Attribution::kAmbiguous;
        step.candidates = std::exchange(step.references, {});
        for (const Reference& reference : event.references) {
          if (step.candidates.size() < limits::kCandidatesPerFactMax) {
            step.candidates.push_back(reference);
          }
        }
        std::sort(step.candidates.begin(), step.candidates.end());
        change(waiting, now);
      }
    }
    decide(id);
  }
}

void Detector::State::stop_waiting(const std::vector<std::string>& in) {
  for (const std::uint64_t id : ids_in_scope(in)) {
    if (open.find(id)->second.owner != OpenStep::Owner::kDecided) decide(id);
  }
}

}  // namespace meldevakt::agent
