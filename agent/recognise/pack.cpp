#include "agent/recognise/pack.h"

#include <algorithm>
#include <set>
#include <utility>

#include "agent/recognise/pack_toml.h"
#include "agent/recognise/pattern_syntax.h"
#include "agent/recognise/program.h"
#include "common/base/limits.h"
#include "common/base/text.h"
#include "common/ports/sha256.h"
#include "common/privacy/privacy.h"

namespace meldevakt::agent {
namespace {

constexpr std::size_t kPackBytesMax = 1024 * 1024;
constexpr std::size_t kRulesMax = 500;
constexpr std::size_t kScopesMax = 4;
constexpr std::int64_t kLinesMax = 100'000;
constexpr std::int64_t kBytesMin = 1024;
constexpr std::int64_t kBytesMax = 16 * 1024 * 1024;
constexpr std::int64_t kLookBackSignalsMax = 1000;

// Names that leave the house (pack, rule, code, driver): short, plain, and no number in disguise.
bool is_plain_name(std::string_view text, bool code) {
  if (text.empty() || text.size() > limits::kIdentifierBytesMax) return false;
  for (const char c : text) {
    const bool common =
        (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    if (!common && !(code && ((c >= 'A' && c <= 'Z') || c == '/'))) return false;
  }
  return !holds_identity_number(text);
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& known) {
  if (const auto nearest = nearest_name(name, known)) return "; did you mean '" + *nearest + "'?";
  std::string list;
  for (const std::string& k : known) list += (list.empty() ? "" : ", ") + k;
  return " (there are " + list + ")";
}

// Makes a Pack of what the file says, in the order a reader of the file would check it.
class Loader {
 public:
  explicit Loader(PackText text) : text_{std::move(text)} {}
  Result<std::shared_ptr<const Pack>> load(std::string_view bytes);

 private:
  [[nodiscard]] Error error(std::uint32_t line, std::string_view what) const {
    return pack_error(text_.file, line, what);
  }
  Status head();
  Status names();
  Status record();
  Status record_patterns();
  Status record_bounds();
  Status scope();
  Status rule(const RuleText& text);
  Status rule_name(const RuleText& text);
  Status rule_literals(const RuleText& text, Rule& rule);
  Status rule_pattern(const RuleText& text, Rule& rule);
  Status is_observed(const Text& name, Signal signal);
  Status rule_meaning(const RuleText& text, Rule& rule);
  Status rule_code(const RuleText& text, Rule& rule);
  Status rule_effects(const RuleText& text, Rule& rule);
  Result<std::size_t> literal_id(const Text& literal);
  Status duration(const std::optional<Text>& text, Duration& into, Duration max);
  Result<Signal> signal(const Text& text);
  template <typename Into>
  Status bounded(const std::optional<Whole>& value, std::int64_t min, std::int64_t max, Into& into);
  Result<Pattern> plain(const Text& text, std::size_t groups, bool anchored, std::string_view what);

  PackText text_;
  Pack pack_;
  PackProgram program_;
  std::set<std::string> rule_ids_;
};

Status Loader::head() {
  const auto required = [this](const std::optional<Text>& text, std::string_view key) -> Status {
    if (text && !text->value.empty()) return {};
    return error(text ? text->line : 1, "the key '" + std::string{key} + "' is missing");
  };
  MELDEVAKT_TRY(required(text_.pack, "pack"));
  MELDEVAKT_TRY(required(text_.version, "version"));
  for (const Text* name : {&*text_.pack, &*text_.version}) {
    if (!is_plain_name(name->value, false)) {
      return error(name->line, "a name has at most 64 of a-z, 0-9, '.', '_' and '-', not " +
                                   in_quotes(name->value));
    }
  }
  pack_.identity.id = text_.pack->value;
  pack_.identity.version = text_.version->value;
  if (text_.product) pack_.product = text_.product->value;
  return names();
}

Status Loader::names() {
  if (text_.observes.empty()) {
    return error(1,
                 "the key 'observes' is missing: a list of the signals this product logs at all");
  }
  for (const Text& name : text_.observes) {
    MELDEVAKT_TRY_ASSIGN(const Signal signal, this->signal(name));
    pack_.observes.push_back(signal);
  }
  std::sort(pack_.observes.begin(), pack_.observes.end());
  pack_.observes.erase(std::unique(pack_.observes.begin(), pack_.observes.end()),
                       pack_.observes.end());
  for (const Text& name : text_.encoding) {
    const auto encoding = encoding_from_string(name.value);
    if (!encoding) {
      return error(name.line, "unknown encoding " + in_quotes(name.value) +
                                  did_you_mean(name.value, all_encoding_names()));
    }
    pack_.encodings.push_back(*encoding);
  }
  if (pack_.encodings.empty()) pack_.encodings.push_back(Encoding::kUtf8);
  return {};
}

Result<Signal> Loader::signal(const Text& text) {
  if (const auto signal = signal_from_string(text.value)) return *signal;
  return error(text.line, "unknown signal " + in_quotes(text.value) +
                              did_you_mean(text.value, all_signal_names()));
}

Result<Pattern> Loader::plain(const Text& text, std::size_t groups, bool anchored,
                              std::string_view what) {
  Result<Pattern> pattern = Pattern::compile_plain(text.value, groups, anchored);
  if (!pattern) return error(text.line, std::string{what} + ": " + pattern.error().message());
  return pattern;
}

Status Loader::record() {
  if (text_.record_line == 0) return error(1, "the table [record] is missing");
  if (!text_.starts) return error(text_.record_line, "the key 'starts' is missing in [record]");
  MELDEVAKT_TRY_ASSIGN(program_.starts, plain(*text_.starts, 0, true, "starts"));
  if (text_.time.empty()) {
    return error(text_.record_line,
                 "the key 'time' is missing in [record], e.g. "
                 "\"%Y-%m-%d %H:%M:%S,%f\"");
  }
  for (const Text& format : text_.time) {
    Result<TimeFormat> parsed = TimeFormat::parse(format.value);
    if (!parsed) return error(format.line, parsed.error().message());
    program_.times.push_back(std::move(parsed).value());
  }
  MELDEVAKT_TRY(record_patterns());
  return record_bounds();
}

Status Loader::record_patterns() {
  if (text_.time_at) {
    MELDEVAKT_TRY_ASSIGN(program_.time_at, plain(*text_.time_at, 1, false, "time_at"));
  }
  if (text_.body) {
    MELDEVAKT_TRY_ASSIGN(program_.body, plain(*text_.body, 1, true, "body"));
  }
  if (text_.process) {
    MELDEVAKT_TRY_ASSIGN(program_.process, plain(*text_.process, 1, false, "process"));
  }
  if (text_.scope.size() > kScopesMax) {
    return error(text_.scope.back().second.line,
                 "more than " + std::to_string(kScopesMax) + " scopes");
  }
  for (const auto& [name, pattern] : text_.scope) {
    if (!is_plain_name(name, false)) {
      return error(pattern.line, "a scope's name has a-z, 0-9, '.', '_' and '-' only");
    }
    MELDEVAKT_TRY_ASSIGN(Pattern compiled, plain(pattern, 1, false, "scope " + name));
    program_.scopes.push_back({name, std::move(compiled)});
  }
  if (text_.zone) pack_.default_zone = text_.zone->value;
  return {};
}

template <typename Into>
Status Loader::bounded(const std::optional<Whole>& value, std::int64_t min, std::int64_t max,
                       Into& into) {
  if (!value) return {};
  if (value->value < min || value->value > max) {
    return error(value->line,
                 "must be between " + std::to_string(min) + " and " + std::to_string(max));
  }
  into = static_cast<Into>(value->value);
  return {};
}

Status Loader::duration(const std::optional<Text>& text, Duration& into, Duration max) {
  if (!text) return {};
  const Result<Duration> parsed = parse_duration(text->value);
  if (!parsed) return error(text->line, parsed.error().message());
  if (parsed.value() < Duration{0} || parsed.value() > max) {
    return error(text->line, "must be at most " + std::to_string(max.ms / 1000) + "s");
  }
  into = parsed.value();
  return {};
}

Status Loader::record_bounds() {
  MELDEVAKT_TRY(bounded(text_.lines_max, 1, kLinesMax, pack_.record_lines_max));
  MELDEVAKT_TRY(bounded(text_.bytes_max, kBytesMin, kBytesMax, pack_.record_bytes_max));
  MELDEVAKT_TRY(duration(text_.idle, pack_.record_idle, minutes(10)));
  return duration(text_.flush_lag, pack_.flush_lag, hours(24));
}

Status Loader::scope() {
  MELDEVAKT_TRY(duration(text_.age_max, pack_.scope_age_max, hours(24)));
  MELDEVAKT_TRY(duration(text_.look_back, pack_.look_back_max, hours(1)));
  return bounded(text_.look_back_signals_max, 0, kLookBackSignalsMax, pack_.look_back_signals_max);
}

Result<std::size_t> Loader::literal_id(const Text& literal) {
  if (literal.value.size() < kLiteralBytesMin) {
    return error(literal.line, "a literal has at least " + std::to_string(kLiteralBytesMin) +
                                   " bytes, not " + in_quotes(literal.value) +
                                   ": shorter ones occur everywhere");
  }
  auto& literals = program_.literals;
  const auto known = std::find(literals.begin(), literals.end(), literal.value);
  if (known != literals.end()) return static_cast<std::size_t>(known - literals.begin());
  if (literals.size() == kLiteralsMax) {
    return error(literal.line, "more than " + std::to_string(kLiteralsMax) + " literals");
  }
  literals.push_back(literal.value);
  return literals.size() - 1;
}

Status Loader::rule_literals(const RuleText& text, Rule& rule) {
  if (text.literal.empty() && text.any_literal.empty()) {
    return error(text.line, "rule '" + rule.id +
                                "' has no literal: a text of at least 3 bytes that must occur, so "
                                "that most records need no pattern");
  }
  for (const Text& literal : text.literal) {
    MELDEVAKT_TRY_ASSIGN(const std::size_t id, literal_id(literal));
    rule.all_of.set(id);
    rule.literal_text.push_back(literal.value);
  }
  for (const Text& literal : text.any_literal) {
    MELDEVAKT_TRY_ASSIGN(const std::size_t id, literal_id(literal));
    rule.any_of.set(id);
    rule.any_text.push_back(literal.value);
  }
  return {};
}

Status Loader::rule_pattern(const RuleText& text, Rule& rule) {
  if (!text.pattern) return {};
  Result<Pattern> pattern = Pattern::compile_rule(text.pattern->value);
  if (!pattern) {
    return error(text.pattern->line, "rule '" + rule.id + "': " + pattern.error().message());
  }
  rule.pattern = std::move(pattern).value();
  return {};
}

Status Loader::rule_code(const RuleText& text, Rule& rule) {
  bool captured = false;
  bool timed = false;
  if (rule.pattern) {
    for (const Field& field : rule.pattern->fields()) {
      captured |= field.type == FieldType::kSqlstate || field.type == FieldType::kNumber;
      timed |= field.type == FieldType::kMs;
    }
  }
  if (text.code && text.code_prefix) {
    return error(text.code->line, "either 'code' or 'code_prefix' with a captured field, not both");
  }
  if (text.code_prefix && !captured) {
    return error(text.code_prefix->line,
                 "'code_prefix' needs a field (?<sqlstate>{sqlstate}) or "
                 "(?<number>{number}) in the pattern");
  }
  if (captured && !text.code_prefix) {
    return error(text.pattern->line, "a captured code needs 'code_prefix', e.g. \"pg/\"");
  }
  if (text.ms_min && !timed) {
    return error(text.ms_min->line, "'ms_min' needs a field (?<ms>{ms}) in the pattern");
  }
  for (const std::optional<Text>* code : {&text.code, &text.code_prefix}) {
    if (*code && (!is_plain_name((*code)->value, true) || (*code)->value.size() > 48)) {
      return error((*code)->line,
                   "a code has at most 48 of a-z, A-Z, 0-9, '/', '.', '_' and '-', "
                   "not " +
                       in_quotes((*code)->value));
    }
  }
  if (text.code) rule.code = text.code->value;
  if (text.code_prefix) rule.code_prefix = text.code_prefix->value;
  rule.ms_min = std::nullopt;
  if (text.ms_min) {
    std::uint32_t ms_min = 0;
    MELDEVAKT_TRY(bounded(text.ms_min, 0, 999'999'999, ms_min));
    rule.ms_min = ms_min;
  }
  return {};
}

// Silence is a claim for these four (DESIGN, "Observability"): a pack that finds them says so.
Status Loader::is_observed(const Text& name, Signal signal) {
  const bool claimed = signal == Signal::kMessageReceived || signal == Signal::kMessageCommitted ||
                       signal == Signal::kMessageSaveFailed ||
                       signal == Signal::kMessageAcknowledged;
  const auto& observes = pack_.observes;
  if (!claimed || std::find(observes.begin(), observes.end(), signal) != observes.end()) return {};
  return error(name.line, "signal '" + name.value +
                              "' is not in 'observes', the list of what this product logs at all");
}

Status Loader::rule_meaning(const RuleText& text, Rule& rule) {
  if (text.signal) {
    MELDEVAKT_TRY_ASSIGN(rule.signal, signal(*text.signal));
    MELDEVAKT_TRY(is_observed(*text.signal, *rule.signal));
  }
  const bool fails = rule.signal == Signal::kMessageSaveFailed;
  if (text.outcome) {
    rule.outcome = outcome_from_string(text.outcome->value);
    if (!rule.outcome) {
      return error(text.outcome->line,
                   "unknown outcome " + in_quotes(text.outcome->value) +
                       did_you_mean(text.outcome->value, {"failed", "rolled_back", "unknown"}));
    }
    if (!fails) return error(text.outcome->line, "only message.save_failed has an outcome");
  } else if (fails) {
    return error(text.line, "rule '" + rule.id +
                                "' needs 'outcome': \"failed\", \"rolled_back\" or \"unknown\" "
                                "(the commit call itself got no answer)");
  }
  if (text.form) {
    rule.form = form_from_string(text.form->value);
    if (!rule.form) return error(text.form->line, "unknown form " + in_quotes(text.form->value));
  }
  return rule_code(text, rule);
}

Status Loader::rule_effects(const RuleText& text, Rule& rule) {
  if (text.opens) {
    if (text.opens->value != "overload") {
      return error(text.opens->line,
                   "only \"overload\" can be opened, not " + in_quotes(text.opens->value));
    }
    if (!rule.signal) return error(text.opens->line, "'opens' needs a signal");
    rule.opens_window = true;
  }
  if (text.driver) {
    if (!is_plain_name(text.driver->value, false)) {
      return error(text.driver->line, "a driver has a-z, 0-9, '.', '_' and '-' only");
    }
    rule.driver = text.driver->value;
  }
  rule.ends_scope = text.ends_scope;
  rule.restarts_process = text.restarts_process;
  rule.stop = text.stop;
  rule.match = text.match;
  rule.no_match = text.no_match;
  return {};
}

Status Loader::rule_name(const RuleText& text) {
  if (!text.id) return error(text.line, "a rule without 'id'");
  if (!is_plain_name(text.id->value, false)) {
    return error(text.id->line, "a rule's id has at most 64 of a-z, 0-9, '.', '_' and '-', not " +
                                    in_quotes(text.id->value));
  }
  if (!rule_ids_.insert(text.id->value).second) {
    return error(text.id->line, "two rules with the id '" + text.id->value + "'");
  }
  return {};
}

Status Loader::rule(const RuleText& text) {
  MELDEVAKT_TRY(rule_name(text));
  Rule rule;
  rule.id = text.id->value;
  rule.line = text.line;
  MELDEVAKT_TRY(rule_literals(text, rule));
  MELDEVAKT_TRY(rule_pattern(text, rule));
  MELDEVAKT_TRY(rule_meaning(text, rule));
  MELDEVAKT_TRY(rule_effects(text, rule));
  program_.rules.push_back(std::move(rule));
  return {};
}

Result<std::shared_ptr<const Pack>> Loader::load(std::string_view bytes) {
  MELDEVAKT_TRY(head());
  MELDEVAKT_TRY(record());
  MELDEVAKT_TRY(scope());
  if (text_.rules.empty()) return error(1, "the pack has no [[rule]]");
  if (text_.rules.size() > kRulesMax) {
    return error(text_.rules[kRulesMax].line, "more than " + std::to_string(kRulesMax) + " rules");
  }
  for (const RuleText& text : text_.rules) MELDEVAKT_TRY(rule(text));
  program_.file_name = text_.file;
  program_.filter = LiteralFilter{program_.literals};
  pack_.identity.sha256 = sha256(bytes);
  pack_.program = std::make_shared<const PackProgram>(std::move(program_));
  return std::make_shared<const Pack>(std::move(pack_));
}

}  // namespace

Result<std::shared_ptr<const Pack>> load_pack(std::string_view toml, std::string_view file_name) {
  if (toml.size() > kPackBytesMax) {
    return pack_error(file_name, 0,
                      "a pack has at most " + std::to_string(kPackBytesMax) + " bytes");
  }
  MELDEVAKT_TRY_ASSIGN(PackText text, read_pack_toml(toml, file_name));
  return Loader{std::move(text)}.load(toml);
}

}  // namespace meldevakt::agent
