#include "agent/recognise/recogniser.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "agent/frame/field_view.h"
#include "agent/recognise/event_time.h"
#include "agent/recognise/metric_readings.h"
#include "agent/recognise/program.h"
#include "agent/recognise/rule_match.h"
#include "common/base/limits.h"

namespace meldevakt::agent {
namespace {

// Where a record says which thread or process wrote it: in its first lines, and not far into them.
constexpr std::size_t kHeaderLineBytesMax = 1024;
constexpr std::size_t kScopeBytesMax = 64;

bool any_matches(const std::vector<LinePattern>& patterns, std::string_view line,
                 Matcher& matcher) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const LinePattern& any) {
    if (any.shape) return any.shape->matches_start(line);
    return matcher.match(any.pattern, line) == MatchOutcome::kMatch;
  });
}

}  // namespace

struct Recogniser::State {
  std::shared_ptr<const Pack> pack;
  std::shared_ptr<const PackProgram> program;
  PrivacyStep privacy;
  EventTime time;
  Matcher matcher;
  MetricReadings readings;
  Stats stats;
  FileTime only_file;               // for callers with one file
  std::optional<Instant> in_force;  // of any file
  ReadAt read_at = ReadAt::kMeansNothing;

  State(std::shared_ptr<const Pack> p, std::shared_ptr<const TimeZone> zone, PrivacyStep step)
      : pack{std::move(p)},
        program{pack->program},
        privacy{std::move(step)},
        time{std::move(zone)},
        readings{program->metrics} {}

  [[nodiscard]] bool says_offset() const {
    return program->utc_offset_at.has_value() || program->utc_bias_at.has_value();
  }
  [[nodiscard]] std::string_view header_of(std::string_view text) const;
  std::string_view time_text(std::string_view text);
  std::optional<TimeStamp> stamp_of(std::string_view text);
  void read_offset(const Record& record, const std::optional<TimeStamp>& stamp, FileTime& file);
  void read_time(const Record& record, FileTime& file, Recognised& out);
  [[nodiscard]] std::string own_name_of(const Record& record, const Recognised& made) const;
  std::optional<std::string_view> body_of(std::string_view text, bool& limited);
  std::vector<std::string> scopes_of(std::string_view text);
  void apply_rules(const Record& record, const LiteralSet& found, Recognised& out);
  void add_event(const Rule& rule, RuleMatch match, const Record& record, Recognised& out);
  void share(const Record& record, Recognised& out);
};

// Where scope, process and time are looked for.
std::string_view Recogniser::State::header_of(std::string_view text) const {
  if (is_structured(pack->shape.kind)) return text;
  std::size_t end = 0;
  for (std::size_t line = 0; line < program->head_lines; ++line) {
    end = std::min(text.find('\n', line == 0 ? 0 : end + 1), text.size());
    if (end == text.size()) break;
  }
  return text.substr(0, std::min(end, program->head_lines * kHeaderLineBytesMax));
}

// The values of the fields that name the record, and its time: numbers of a log that was cleared
// begin anew.
std::string Recogniser::State::own_name_of(const Record& record, const Recognised& made) const {
  if (program->named_by.empty() || record.orphan) return "";
  std::string out;
  for (const std::string& name : program->named_by) {
    const std::string_view value = field_of(record.text, name);
    if (value.data() == nullptr) return "";
    out.append(value).append(1, '\n');
  }
  if (made.time && made.has_own_time) out += std::to_string(made.time->ms);
  return out;
}

// Where the record's time begins; data() is nullptr when it has none.
std::string_view Recogniser::State::time_text(std::string_view text) {
  for (const std::string& name : program->time_fields) {
    const std::string_view value = field_of(text, name);
    if (value.data() != nullptr) return value;
  }
  if (!program->time_fields.empty()) return {};
  if (program->time_at.empty()) return text;
  for (const Pattern& pattern : program->time_at) {
    if (matcher.match(pattern, header_of(text)) != MatchOutcome::kMatch) continue;
    if (const auto at = matcher.group(1)) {
      return text.substr(static_cast<std::size_t>(at->data() - text.data()));
    }
  }
  return {};
}

std::optional<TimeStamp> Recogniser::State::stamp_of(std::string_view text) {
  const std::string_view at = time_text(text);
  if (at.data() == nullptr) return std::nullopt;
  for (const TimeFormat& format : program->times) {
    if (const auto stamp = format.read(at)) return stamp;
  }
  return std::nullopt;
}

// The file says how far its clock is from UTC, once: then it is no longer looked for.
void Recogniser::State::read_offset(const Record& record, const std::optional<TimeStamp>& stamp,
                                    FileTime& file) {
  if (!says_offset() || file.utc_offset) return;
  const auto value = [&](const std::optional<Pattern>& pattern) -> std::optional<std::string_view> {
    if (!pattern || matcher.match(*pattern, record.text) != MatchOutcome::kMatch) {
      return std::nullopt;
    }
    return matcher.group(1);
  };
  std::optional<Duration> offset;
  if (const auto text = value(program->utc_offset_at)) offset = offset_from_text(*text);
  if (const auto text = value(program->utc_bias_at)) {
    std::int64_t bias = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), bias);
    const bool whole = error == std::errc{} && end == text->data() + text->size();
    if (whole && bias >= -15 * 60 && bias <= 15 * 60) offset = minutes(-bias);
  }
  if (offset) time.note_offset(*offset, stamp, file);
}

void Recogniser::State::read_time(const Record& record, FileTime& file, Recognised& out) {
  if (!file.in_force) file.in_force = in_force;
  std::optional<Instant> now;
  if (read_at != ReadAt::kMeansNothing) now = record.read_at;
  std::optional<TimeStamp> stamp;
  const bool names_columns = record.context && is_structured(pack->shape.kind);
  if (!record.orphan && !names_columns) stamp = stamp_of(record.text);
  read_offset(record, stamp, file);
  if (stamp) {
    if (const auto read = time.resolve(*stamp, file, now, says_offset())) {
      in_force = read->time;
      out.time = read->time;
      out.time_doubt = read->doubt;
      out.has_own_time = true;
      return;
    }
  }
  if (program->time_is_arrival && read_at == ReadAt::kIsArrival) {
    file.in_force = now;
    file.doubt = TimeDoubt::kArrival;
  } else if (!record.orphan && !record.context && program->header_only.empty()) {
    ++stats.times_unreadable;
  }
  out.time = file.in_force;
  out.time_doubt = file.doubt;
}

std::optional<std::string_view> Recogniser::State::body_of(std::string_view text, bool& limited) {
  if (!program->body_field.empty()) {
    const std::string_view value = field_of(text, program->body_field);
    if (value.data() == nullptr) return std::nullopt;
    return text.substr(static_cast<std::size_t>(value.data() - text.data()));
  }
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
  event.time_doubt = out.time_doubt;
  event.rule = rule.id;
  event.code = std::move(match.code);
  event.outcome = rule.outcome;
  event.form = match.form;
  event.district = std::move(match.district);
  event.lasted = match.lasted;
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
  const PackProgram& program = *state_->program;
  return any_matches(program.starts, line, state_->matcher) &&
         !any_matches(program.continues, line, state_->matcher);
}

LineTests Recogniser::line_tests() const {
  State* const s = state_.get();
  LineTests tests;
  if (!s->program->starts.empty()) {
    tests.starts = [s](std::string_view line) {
      return any_matches(s->program->starts, line, s->matcher) &&
             !any_matches(s->program->continues, line, s->matcher);
    };
  }
  if (!s->program->header_only.empty()) {
    tests.header_only = [s](std::string_view line) {
      return any_matches(s->program->header_only, line, s->matcher);
    };
  }
  if (!s->program->joins.empty()) {
    tests.join_key = [s](std::string_view line) -> std::string_view {
      for (const LinePattern& join : s->program->joins) {
        if (s->matcher.match(join.pattern, line) != MatchOutcome::kMatch) continue;
        if (const auto key = s->matcher.group(1)) return *key;
      }
      return {};
    };
  }
  return tests;
}

Recognised Recogniser::recognise(const Record& record) {
  return recognise(record, state_->only_file);
}

Recognised Recogniser::recognise(const Record& record, FileTime& file) {
  State& s = *state_;
  Recognised out;
  ++s.stats.records;
  s.read_time(record, file, out);
  if (record.context) {
    out.known = true;
    return out;
  }
  // Of a record with a field too many or too few it is not known which number is whose.
  if (!s.program->metrics.empty() && !record.orphan && !record.malformed && !record.truncated) {
    out.readings = s.readings.read(record.text, s.matcher);
    out.known = !out.readings.empty();
  }
  const LiteralSet found = s.program->filter.find(record.text);
  if (found.none()) return out;
  s.apply_rules(record, found, out);
  if (out.limited) {
    ++s.stats.limited;
    out.known = false;
    out.events.clear();
    out.readings.clear();
  }
  if (!out.events.empty()) {
    s.share(record, out);
    out.own_name = s.own_name_of(record, out);
  }
  return out;
}

void Recogniser::set_read_at(ReadAt means) {
  state_->read_at = means;
}

std::optional<Instant> Recogniser::time_in_force() const {
  return state_->in_force;
}

void Recogniser::set_time_in_force(std::optional<Instant> time) {
  state_->in_force = time;
  state_->only_file = FileTime{};
}

const Recogniser::Stats& Recogniser::stats() const {
  return state_->stats;
}

RecordFramer::Settings framer_settings(const Pack& pack) {
  return {pack.encodings, pack.record_lines_max, pack.record_bytes_max, pack.record_idle,
          pack.shape};
}

}  // namespace meldevakt::agent
