#include "agent/recognise/recogniser.h"

#include <algorithm>
#include <utility>

#include "agent/recognise/event_time.h"
#include "agent/recognise/program.h"
#include "agent/recognise/rule_match.h"
#include "common/base/limits.h"

namespace meldevakt::agent {
namespace {

// Where a record says which thread or process wrote it: its first line, and not far into it.
constexpr std::size_t kHeaderBytesMax = 1024;
constexpr std::size_t kScopeBytesMax = 64;

std::string_view header_of(std::string_view text) {
  return text.substr(0, std::min(text.find('\n'), kHeaderBytesMax));
}

}  // namespace

struct Recogniser::State {
  std::shared_ptr<const Pack> pack;
  std::shared_ptr<const PackProgram> program;
  PrivacyStep privacy;
  EventTime time;
  Matcher matcher;
  Stats stats;

  State(std::shared_ptr<const Pack> p, std::shared_ptr<const TimeZone> zone, PrivacyStep step)
      : pack{std::move(p)},
        program{pack->program},
        privacy{std::move(step)},
        time{std::move(zone)} {}

  std::optional<TimeStamp> stamp_of(std::string_view text);
  void read_time(const Record& record, Recognised& out);
  std::optional<std::string_view> body_of(std::string_view text, bool& limited);
  std::vector<std::string> scopes_of(std::string_view text);
  void apply_rules(const Record& record, const LiteralSet& found, Recognised& out);
  void add_event(const Rule& rule, RuleMatch match, const Record& record, Recognised& out);
  void share(const Record& record, Recognised& out);
};

std::optional<TimeStamp> Recogniser::State::stamp_of(std::string_view text) {
  if (!program->time_at.empty()) {
    const auto at =
        std::find_if(program->time_at.begin(), program->time_at.end(), [&](const Pattern& pattern) {
          return matcher.match(pattern, header_of(text)) == MatchOutcome::kMatch &&
                 matcher.group(1);
        });
    if (at == program->time_at.end()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(matcher.group(1)->data() - text.data()));
  }
  for (const TimeFormat& format : program->times) {
    if (const auto stamp = format.read(text)) return stamp;
  }
  return std::nullopt;
}

void Recogniser::State::read_time(const Record& record, Recognised& out) {
  if (!record.orphan) {
    if (const std::optional<TimeStamp> stamp = stamp_of(record.text)) {
      out.time = time.resolve(*stamp);
      out.has_own_time = true;
      return;
    }
    ++stats.times_unreadable;
  }
  out.time = time.in_force();
}

std::optional<std::string_view> Recogniser::State::body_of(std::string_view text, bool& limited) {
  if (!program->body) return text;
  const MatchOutcome outcome = matcher.match(*program->body, text);
  limited |= outcome == MatchOutcome::kLimited;
  if (outcome != MatchOutcome::kMatch) return std::nullopt;
  const std::optional<std::string_view> group = matcher.group(1);
  if (!group) return std::nullopt;
  return text.substr(static_cast<std::size_t>(group->data() - text.data()));
}

// "thread=17"; with a process pattern "process=4242/thread=17": threads of two processes that write
// into one file are told apart.
std::vector<std::string> Recogniser::State::scopes_of(std::string_view text) {
  const std::string_view header = header_of(text);
  const auto value = [&](const Pattern& pattern) -> std::optional<std::string_view> {
    if (matcher.match(pattern, header) != MatchOutcome::kMatch) return std::nullopt;
    const std::optional<std::string_view> group = matcher.group(1);
    if (!group || group->empty() || group->size() > kScopeBytesMax) return std::nullopt;
    return group;
  };
  std::vector<std::string> keys;
  std::string prefix;
  if (program->process) {
    if (const auto process = value(*program->process)) {
      prefix = "process=" + std::string{*process} + "/";
    }
  }
  for (const ScopePattern& scope : program->scopes) {
    if (const auto found = value(scope.pattern)) {
      keys.push_back(prefix + scope.name + "=" + std::string{*found});
    }
  }
  return keys;
}

void Recogniser::State::add_event(const Rule& rule, RuleMatch match, const Record& record,
                                  Recognised& out) {
  SignalEvent event;
  event.signal = rule.signal;
  event.time = *out.time;
  event.time_inherited = !out.has_own_time;
  event.rule = rule.id;
  event.code = std::move(match.code);
  event.outcome = rule.outcome;
  event.form = match.form;
  event.references = std::move(match.references);
  event.references_dropped = match.references_dropped;
  event.ends_scope = rule.ends_scope;
  event.restarts_process = rule.restarts_process;
  event.opens_window = rule.opens_window;
  event.driver = rule.driver;
  event.offset = record.offset;
  event.bytes = record.bytes;
  out.events.push_back(std::move(event));
}

// The first matching rule of each signal speaks; rules without a signal count as one more signal.
void Recogniser::State::apply_rules(const Record& record, const LiteralSet& found,
                                    Recognised& out) {
  const auto& rules = program->rules;
  const auto first = std::find_if(rules.begin(), rules.end(),
                                  [&found](const Rule& rule) { return has_literals(rule, found); });
  if (first == rules.end()) return;
  const std::optional<std::string_view> body = body_of(record.text, out.limited);
  if (!body) return;
  for (auto next = first; next != rules.end(); ++next) {
    const Rule& rule = *next;
    if (!has_literals(rule, found)) continue;
    const bool spoken = std::any_of(out.events.begin(), out.events.end(),
                                    [&rule](const auto& e) { return e.signal == rule.signal; });
    if (spoken) continue;
    RuleMatch match = match_rule(rule, *body, privacy, matcher);
    out.limited |= match.outcome == MatchOutcome::kLimited;
    if (match.outcome != MatchOutcome::kMatch) continue;
    out.known = true;
    // Without any time a record cannot be placed; it is known and says nothing.
    if (out.time) add_event(rule, std::move(match), record, out);
    if (rule.stop) break;
  }
}

// What belongs to the record and not to one rule: references, scopes, and where its scope ends.
void Recogniser::State::share(const Record& record, Recognised& out) {
  std::vector<Reference> references;
  std::uint32_t dropped = 0;
  bool ends_scope = false;
  bool restarts = false;
  for (SignalEvent& event : out.events) {
    references.insert(references.end(), event.references.begin(), event.references.end());
    dropped += event.references_dropped;
    ends_scope |= std::exchange(event.ends_scope, false);
    restarts |= std::exchange(event.restarts_process, false);
  }
  std::sort(references.begin(), references.end());
  references.erase(std::unique(references.begin(), references.end()), references.end());
  if (references.size() > limits::kReferencesPerFactMax) {
    dropped += static_cast<std::uint32_t>(references.size() - limits::kReferencesPerFactMax);
    references.resize(limits::kReferencesPerFactMax);
  }
  const std::vector<std::string> scopes = scopes_of(record.text);
  for (SignalEvent& event : out.events) {
    event.references = references;
    event.references_dropped = dropped;  // so that none of them is taken for one that names nothing
    event.scopes = scopes;
  }
  out.events.front().restarts_process = restarts;  // before anything the record says
  out.events.back().ends_scope = ends_scope;       // after all it says
  stats.references_dropped += dropped;
}

Recogniser::Recogniser(std::shared_ptr<const Pack> pack, std::shared_ptr<const TimeZone> zone,
                       PrivacyStep privacy)
    : state_{std::make_unique<State>(std::move(pack), std::move(zone), std::move(privacy))} {}

Recogniser::~Recogniser() = default;
Recogniser::Recogniser(Recogniser&&) noexcept = default;
Recogniser& Recogniser::operator=(Recogniser&&) noexcept = default;

bool Recogniser::starts_record(std::string_view line) const {
  const auto& starts = state_->program->starts;
  return std::any_of(starts.begin(), starts.end(), [&](const LinePattern& start) {
    if (start.shape) return start.shape->matches_start(line);
    return state_->matcher.match(start.pattern, line) == MatchOutcome::kMatch;
  });
}

Recognised Recogniser::recognise(const Record& record) {
  State& s = *state_;
  Recognised out;
  ++s.stats.records;
  s.read_time(record, out);
  const LiteralSet found = s.program->filter.find(record.text);
  if (found.none()) return out;
  s.apply_rules(record, found, out);
  if (out.limited) {
    ++s.stats.limited;
    out.known = false;
    out.events.clear();
  }
  if (!out.events.empty()) s.share(record, out);
  return out;
}

std::optional<Instant> Recogniser::time_in_force() const {
  return state_->time.in_force();
}

void Recogniser::set_time_in_force(std::optional<Instant> time) {
  state_->time.set_in_force(time);
}

const Recogniser::Stats& Recogniser::stats() const {
  return state_->stats;
}

}  // namespace meldevakt::agent
