#include "agent/recognise/rule_loader.h"

#include <algorithm>

#include "agent/recognise/pack_words.h"

namespace meldevakt::agent {
namespace {

constexpr std::int64_t kMsMax = 999'999'999;

}  // namespace

Error RuleLoader::error(std::uint32_t line, std::string_view what) const {
  return pack_error(rule_file_.empty() ? file_ : rule_file_, line, what);
}

Result<std::size_t> RuleLoader::literal_id(const Text& literal) {
  if (literal.value.size() < kLiteralBytesMin) {
    return error(literal.line, "a literal has at least " + std::to_string(kLiteralBytesMin) +
                                   " bytes, not " + in_quotes(literal.value) +
                                   ": shorter ones occur everywhere");
  }
  auto& literals = literals_;
  const auto known = std::find(literals.begin(), literals.end(), literal.value);
  if (known != literals.end()) return static_cast<std::size_t>(known - literals.begin());
  if (literals.size() == kLiteralsMax) {
    return error(literal.line, "more than " + std::to_string(kLiteralsMax) + " literals");
  }
  literals.push_back(literal.value);
  return literals.size() - 1;
}

Status RuleLoader::literals(const RuleText& text, Rule& rule) {
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

Status RuleLoader::pattern(const RuleText& text, Rule& rule) {
  if (!text.pattern) return {};
  Result<Pattern> pattern = Pattern::compile_rule(text.pattern->value);
  if (!pattern) {
    return error(text.pattern->line, "rule '" + rule.id + "': " + pattern.error().message());
  }
  rule.pattern = std::move(pattern).value();
  return {};
}

Status RuleLoader::code(const RuleText& text, Rule& rule) {
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
    if (*code && !is_plain_code((*code)->value)) {
      return error((*code)->line,
                   "a code has at most 48 of a-z, A-Z, 0-9, '/', '.', '_' and '-', "
                   "not " +
                       in_quotes((*code)->value));
    }
  }
  if (text.code) rule.code = text.code->value;
  if (text.code_prefix) rule.code_prefix = text.code_prefix->value;
  if (text.ms_min) {
    if (text.ms_min->value < 0 || text.ms_min->value > kMsMax) {
      return error(text.ms_min->line, "must be between 0 and " + std::to_string(kMsMax));
    }
    rule.ms_min = static_cast<std::uint32_t>(text.ms_min->value);
  }
  return {};
}

// Silence is a claim for these four (DESIGN, "Observability"): a pack that finds them says so.
Status RuleLoader::is_observed(const Text& name, Signal signal) {
  const bool claimed = signal == Signal::kMessageReceived || signal == Signal::kMessageCommitted ||
                       signal == Signal::kMessageSaveFailed ||
                       signal == Signal::kMessageAcknowledged;
  const auto& observes = observes_;
  if (!claimed || std::find(observes.begin(), observes.end(), signal) != observes.end()) return {};
  return error(name.line, "signal '" + name.value + "' is not in 'observes'" +
                              (rule_file_.empty() ? std::string{} : " of " + file_) +
                              ", the list of what this product logs at all");
}

Status RuleLoader::meaning(const RuleText& text, Rule& rule) {
  if (text.signal) {
    rule.signal = signal_from_string(text.signal->value);
    if (!rule.signal) {
      return error(text.signal->line, "unknown signal " + in_quotes(text.signal->value) +
                                          did_you_mean(text.signal->value, all_signal_names()));
    }
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
  return code(text, rule);
}

Status RuleLoader::effects(const RuleText& text, Rule& rule) {
  if (text.opens) {
    if (text.opens->value != "overload") {
      return error(text.opens->line,
                   "only \"overload\" can be opened, not " + in_quotes(text.opens->value));
    }
    if (!rule.signal) return error(text.opens->line, "'opens' needs a signal");
    rule.opens_window = true;
  }
  if (text.driver) {
    if (!is_plain_name(text.driver->value)) {
      return error(text.driver->line, "a driver has a-z, 0-9, '.', '_' and '-' only");
    }
    rule.driver = text.driver->value;
  }
  rule.ends_scope = text.ends_scope;
  rule.restarts_process = text.restarts_process;
  rule.stop = text.stop;
  rule.made_up = text.made_up;
  for (const Text& name : text.also) rule.also.push_back(name.value);
  rule.match = text.match;
  rule.no_match = text.no_match;
  return {};
}

Status RuleLoader::name(const RuleText& text) {
  if (!text.id) return error(text.line, "a rule without 'id'");
  if (!is_plain_name(text.id->value)) {
    return error(text.id->line, "a rule's id has at most 64 of a-z, 0-9, '.', '_' and '-', not " +
                                    in_quotes(text.id->value));
  }
  if (!ids_.insert(text.id->value).second) {
    return error(text.id->line, "two rules with the id '" + text.id->value + "'");
  }
  return {};
}

Result<Rule> RuleLoader::load(const RuleText& text) {
  rule_file_ = text.file;
  MELDEVAKT_TRY(name(text));
  Rule rule;
  rule.id = text.id->value;
  rule.file = text.file;
  rule.line = text.line;
  MELDEVAKT_TRY(literals(text, rule));
  MELDEVAKT_TRY(pattern(text, rule));
  MELDEVAKT_TRY(meaning(text, rule));
  MELDEVAKT_TRY(effects(text, rule));
  return rule;
}

}  // namespace meldevakt::agent
