// A Detector's state as bytes: CBOR (RFC 8949) of arrays in fixed order, with the version first.
// Facts lie in it in their wire form, so that they are checked like any other when they come back.
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

#include "agent/detect/detector_state.h"

namespace meldevakt::agent {
namespace {

using nlohmann::json;

constexpr int kVersion = 4;
constexpr std::size_t kFactsPerList = 5000;
constexpr std::size_t kSaltBytes = 32;

std::string text_of(std::string_view text) {
  return std::string{text};
}

json save_facts(const std::vector<Fact>& facts) {
  json out = json::array();
  for (std::size_t from = 0; from < facts.size(); from += kFactsPerList) {
    const std::size_t to = std::min(facts.size(), from + kFactsPerList);
    Body body{std::string(kSaltBytes, '\0'), {}};
    body.facts.assign(facts.begin() + static_cast<std::ptrdiff_t>(from),
                      facts.begin() + static_cast<std::ptrdiff_t>(to));
    out.push_back(encode_body(body));
  }
  return out;
}

Result<std::vector<Fact>> load_facts(const json& in) {
  std::vector<Fact> out;
  for (const json& list : in) {
    MELDEVAKT_TRY_ASSIGN(Body body, decode_body(list.get_ref<const std::string&>()));
    for (Fact& fact : body.facts) out.push_back(std::move(fact));
  }
  return out;
}

json save(const std::vector<Reference>& references) {
  json out = json::array();
  for (const Reference& reference : references) {
    out.push_back(json::array({text_of(to_string(reference.type)), reference.value}));
  }
  return out;
}

// nlohmann's own exceptions carry a wrong type; a wrong word is thrown the same way.
[[noreturn]] void refuse(const char* what) {
  throw json::other_error::create(500, what, nullptr);
}

std::vector<Reference> load_references(const json& in) {
  std::vector<Reference> out;
  for (const json& pair : in) {
    const auto type = reference_type_from_string(pair.at(0).get_ref<const std::string&>());
    if (!type) refuse("unknown type of reference");
    out.push_back({*type, pair.at(1).get<std::string>()});
  }
  return out;
}

json save(std::optional<Outcome> outcome) {
  return outcome ? text_of(to_string(*outcome)) : std::string{};
}

std::optional<Outcome> load_outcome(const json& in) {
  const auto& text = in.get_ref<const std::string&>();
  const std::optional<Outcome> out = outcome_from_string(text);
  if (!out && !text.empty()) refuse("unknown outcome");
  return out;
}

template <typename T>
json save_optional(const std::optional<T>& value) {
  return value ? json::array({*value}) : json::array();
}

template <typename T>
std::optional<T> load_optional(const json& in) {
  if (in.empty()) return std::nullopt;
  return in.at(0).get<T>();
}

json save_step(std::uint64_t id, const OpenStep& step) {
  return json::array({id, step.scopes, static_cast<int>(step.owner), save(step.outcome), step.joins,
                      step.joins_scope, step.last.ms, step.last_record, step.changed.ms,
                      save_optional(step.told), step.log});
}

std::pair<std::uint64_t, OpenStep> load_step(const json& in) {
  OpenStep step;
  step.scopes = in.at(1).get<std::vector<std::string>>();
  const int owner = in.at(2).get<int>();
  if (owner < 0 || owner > static_cast<int>(OpenStep::Owner::kDoubtful)) refuse("unknown owner");
  step.owner = static_cast<OpenStep::Owner>(owner);
  step.outcome = load_outcome(in.at(3));
  step.joins = in.at(4).get<bool>();
  step.joins_scope = in.at(5).get<bool>();
  step.last = {in.at(6).get<std::int64_t>()};
  step.last_record = in.at(7).get<std::string>();
  step.changed = {in.at(8).get<std::int64_t>()};
  step.told = load_optional<std::uint32_t>(in.at(9));
  step.log = in.at(10).get<std::string>();
  return {in.at(0).get<std::uint64_t>(), std::move(step)};
}

json save_work(const LongWork& work) {
  return json::array(
      {work.driver, work.started.ms, work.ended ? json::array({work.ended->ms}) : json::array()});
}

LongWork load_work(const json& in) {
  LongWork out{in.at(0).get<std::string>(), {in.at(1).get<std::int64_t>()}, std::nullopt};
  if (!in.at(2).empty()) out.ended = Instant{in.at(2).at(0).get<std::int64_t>()};
  return out;
}

json save_window(const OverloadWindow& w) {
  json signals = json::array();
  for (const auto& [signal, count] : w.signals) {
    signals.push_back(json::array({text_of(to_string(signal)), count}));
  }
  json drivers = json::array();
  for (const auto& [name, driver] : w.drivers) {
    drivers.push_back(json::array({name, driver.rank, driver.count}));
  }
  return json::array({w.id, w.rule, w.span.from.ms, w.span.to.ms, std::move(signals),
                      std::move(drivers), w.changes, w.over, w.changed.ms, save_optional(w.told),
                      w.metrics, w.time_error.ms,
                      w.within ? json::array({save_work(*w.within)}) : json::array()});
}

json save_windows(const OverloadWindows& windows) {
  json works = json::array();
  for (const LongWork& work : windows.works()) works.push_back(save_work(work));
  json all = json::array();
  for (const OverloadWindow& window : windows.windows()) all.push_back(save_window(window));
  return json::array({std::move(works), std::move(all)});
}

OverloadWindow load_window(const json& in) {
  OverloadWindow out;
  out.id = in.at(0).get<std::string>();
  out.rule = in.at(1).get<std::string>();
  out.span = {{in.at(2).get<std::int64_t>()}, {in.at(3).get<std::int64_t>()}};
  for (const json& pair : in.at(4)) {
    const auto signal = signal_from_string(pair.at(0).get_ref<const std::string&>());
    if (!signal) refuse("unknown signal");
    out.signals[*signal] = pair.at(1).get<std::uint64_t>();
  }
  for (const json& driver : in.at(5)) {
    out.drivers[driver.at(0).get<std::string>()] = {driver.at(1).get<int>(),
                                                    driver.at(2).get<std::uint64_t>()};
  }
  out.changes = in.at(6).get<std::uint32_t>();
  out.over = in.at(7).get<bool>();
  out.changed = {in.at(8).get<std::int64_t>()};
  out.told = load_optional<std::uint32_t>(in.at(9));
  out.metrics = in.at(10).get<std::uint64_t>();
  out.time_error = {in.at(11).get<std::int64_t>()};
  if (!in.at(12).empty()) out.within = load_work(in.at(12).at(0));
  return out;
}

void load_windows(const json& in, OverloadWindows& windows) {
  std::vector<LongWork> works;
  for (const json& work : in.at(0)) works.push_back(load_work(work));
  std::vector<OverloadWindow> all;
  for (const json& window : in.at(1)) all.push_back(load_window(window));
  windows.restore(std::move(all), std::move(works));
}

json save_scopes(const Scopes& scopes) {
  json out = json::array();
  for (const ScopeEntry& entry : scopes.entries()) {
    out.push_back(json::array(
        {entry.key, save(entry.holder), entry.named_in, entry.named.ms, entry.touched.ms}));
  }
  return out;
}

void load_scopes(const json& in, Scopes& scopes) {
  for (const json& entry : in) {
    scopes.restore({entry.at(0).get<std::string>(),
                    load_references(entry.at(1)),
                    entry.at(2).get<std::string>(),
                    {entry.at(3).get<std::int64_t>()},
                    {entry.at(4).get<std::int64_t>()}});
  }
}

json save(const CurrentRecord& current) {
  return json::array({current.key, current.unnameable, current.restarted, current.ending});
}

CurrentRecord load_current(const json& in) {
  return {in.at(0).get<std::string>(), in.at(1).get<bool>(), in.at(2).get<bool>(),
          in.at(3).get<std::vector<std::string>>()};
}

json save_logs(const std::map<std::string, LogPlace>& logs) {
  json out = json::array();
  for (const auto& [name, log] : logs) {
    out.push_back(json::array({name, log.time.ms, save_optional(log.latest_failure)}));
  }
  return out;
}

std::map<std::string, LogPlace> load_logs(const json& in) {
  std::map<std::string, LogPlace> out;
  for (const json& log : in) {
    out[log.at(0).get<std::string>()] = {{log.at(1).get<std::int64_t>()},
                                         load_optional<std::uint64_t>(log.at(2))};
  }
  return out;
}

json save_hints(const Hints& hints) {
  json out = json::array();
  for (const Hint& hint : hints.all()) {
    out.push_back(json::array({hint.time.ms, hint.record, hint.scopes, save(hint.references),
                               hint.code, save(hint.outcome)}));
  }
  return out;
}

void load_hints(const json& in, Hints& hints) {
  for (const json& hint : in) {
    hints.add({{hint.at(0).get<std::int64_t>()},
               hint.at(1).get<std::string>(),
               hint.at(2).get<std::vector<std::string>>(),
               load_references(hint.at(3)),
               hint.at(4).get<std::string>(),
               load_outcome(hint.at(5))});
  }
}

}  // namespace

// The order of members here and in load() is the format; a change is a new kVersion.
std::string Detector::snapshot() const {
  const State& s = *state_;
  json steps = json::array();
  std::vector<Fact> facts;
  for (const auto& [id, step] : s.open) {
    steps.push_back(save_step(id, step));
    facts.push_back(step.fact);
  }
  json groups = json::array();
  for (const std::vector<Reference>& group : s.aliases.groups()) groups.push_back(save(group));
  const json out = json::array({kVersion, save_facts(facts), std::move(steps), save_facts(s.ready),
                                save_scopes(s.scopes), std::move(groups), save_hints(s.hints),
                                save_windows(s.windows), s.next_step, save(s.current),
                                json::array({s.scopes.evicted(), s.stats.steps_forced,
                                             s.stats.ambiguous, s.stats.unattributed}),
                                save_logs(s.logs)});
  const std::vector<std::uint8_t> bytes = json::to_cbor(out);
  return {bytes.begin(), bytes.end()};
}

// Throws nlohmann's exceptions on what is not of its form.
Status Detector::State::load(const std::string& bytes) {
  const json in = json::from_cbor(bytes);
  if (in.at(0).get<int>() != kVersion) return Error{Errc::kCorrupt, "of an unknown version"};
  MELDEVAKT_TRY_ASSIGN(std::vector<Fact> facts, load_facts(in.at(1)));
  if (facts.size() != in.at(2).size()) return Error{Errc::kCorrupt, "steps without facts"};
  next_step = in.at(8).get<std::uint64_t>();
  for (std::size_t i = 0; i < facts.size(); ++i) {
    auto [id, step] = load_step(in.at(2).at(i));
    step.fact = std::move(facts[i]);
    const bool known = std::holds_alternative<StepFact>(step.fact.what) && id < next_step &&
                       open.find(id) == open.end();
    if (!known) return Error{Errc::kCorrupt, "a step that cannot be"};
    insert(id, std::move(step));
  }
  MELDEVAKT_TRY_ASSIGN(std::vector<Fact> waiting, load_facts(in.at(3)));
  for (Fact& fact : waiting) push(std::move(fact));
  load_scopes(in.at(4), scopes);
  for (const json& group : in.at(5)) aliases.learn(load_references(group));
  load_hints(in.at(6), hints);
  load_windows(in.at(7), windows);
  current = load_current(in.at(9));
  logs = load_logs(in.at(11));
  const json& counts = in.at(10);
  scopes.set_evicted(counts.at(0).get<std::uint64_t>());
  stats = {scopes.evicted(), counts.at(1).get<std::uint64_t>(), counts.at(2).get<std::uint64_t>(),
           counts.at(3).get<std::uint64_t>()};
  return {};
}

Result<Detector> Detector::restore(Settings settings, Limits limits, std::string_view snapshot) {
  Detector detector{std::move(settings), limits};
  try {
    Status loaded = detector.state_->load(std::string{snapshot});
    if (!loaded) return Error{std::move(loaded).error()}.in("detector snapshot");
  } catch (const json::exception&) {
    // The library's message would repeat what the snapshot says.
    return Error{Errc::kCorrupt, "detector snapshot: not of the form of version 4"};
  }
  return detector;
}

}  // namespace meldevakt::agent
