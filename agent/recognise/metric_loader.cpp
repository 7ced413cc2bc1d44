#include "agent/recognise/metric_loader.h"

#include <algorithm>
#include <set>

#include "agent/recognise/metric_watch.h"
#include "agent/recognise/pack_values.h"
#include "agent/recognise/pack_words.h"

namespace meldevakt::agent {
namespace {

constexpr std::size_t kFieldsMax = 64;
constexpr double kDeviationsMax = 1000;

class MetricLoader {
 public:
  MetricLoader(std::string file, std::set<std::string> taken)
      : values_{std::move(file)}, ids_{std::move(taken)} {}

  [[nodiscard]] Result<MetricRule> load(const MetricText& text);

 private:
  Status name(const MetricText& text, MetricRule& rule);
  Status place(const MetricText& text, MetricRule& rule);
  Status threshold(const MetricText& text, MetricRule& rule);
  Status usual(const MetricText& text, MetricRule& rule);
  Status meaning(const MetricText& text, MetricRule& rule);

  PackValues values_;
  std::set<std::string> ids_;
};

Status MetricLoader::name(const MetricText& text, MetricRule& rule) {
  if (!text.name) return values_.error(text.line, "a metric without 'name'");
  if (!is_plain_name(text.name->value)) {
    return values_.error(text.name->line,
                         "a metric's name has at most 64 of a-z, 0-9, '.', '_' and '-', not " +
                             in_quotes(text.name->value));
  }
  if (!ids_.insert(text.name->value).second) {
    return values_.error(text.name->line,
                         "two metrics or rules with the name '" + text.name->value + "'");
  }
  rule.name = text.name->value;
  rule.line = text.line;
  return {};
}

Status MetricLoader::place(const MetricText& text, MetricRule& rule) {
  if (text.column.has_value() == !text.field.empty()) {
    return values_.error(text.line, "metric '" + rule.name +
                                        "' needs 'column', a pattern of the field's name, or "
                                        "'field', the name itself; one of the two");
  }
  if (text.column) {
    MELDEVAKT_TRY_ASSIGN(Pattern pattern, values_.plain(*text.column, 0, false, "column"));
    rule.column = std::move(pattern);
  }
  if (text.field.size() > kFieldsMax) {
    return values_.error(text.field.back().line,
                         "more than " + std::to_string(kFieldsMax) + " fields");
  }
  for (const Text& field : text.field) rule.fields.push_back(field.value);
  if (!text.unit) return {};
  if (!is_plain_code(text.unit->value)) {
    return values_.error(text.unit->line, "a unit is a short word, e.g. \"percent\"");
  }
  rule.unit = text.unit->value;
  return {};
}

Status MetricLoader::usual(const MetricText& text, MetricRule& rule) {
  UsualValues& usual = rule.usual.emplace();
  if (!text.floor) {
    return values_.error(text.line, "metric '" + rule.name +
                                        "' needs 'limit', or 'floor' beside 'deviations': a value "
                                        "that is harmless however unusual it is");
  }
  usual.floor = text.floor->value;
  if (text.deviations) {
    usual.deviations = text.deviations->value;
    if (usual.deviations <= 0 || usual.deviations > kDeviationsMax) {
      return values_.error(text.deviations->line, "must be above 0 and at most 1000");
    }
  }
  MELDEVAKT_TRY(values_.duration(text.history, usual.history, hours(31 * 24)));
  MELDEVAKT_TRY(values_.duration(text.history_min, usual.history_min, hours(31 * 24)));
  const Duration least = MetricWatch::slot_of(usual.history);
  if (usual.history < MetricWatch::kHistoryMin || usual.history_min > usual.history ||
      usual.history_min.ms < least.ms * 4) {
    const std::uint32_t line = text.history_min ? text.history_min->line
                               : text.history   ? text.history->line
                                                : text.line;
    return values_.error(line,
                         "'history' is at least 10m, and 'history_min' lies between a sixty-fourth "
                         "of it and all of it");
  }
  return {};
}

Status MetricLoader::threshold(const MetricText& text, MetricRule& rule) {
  if (text.worse && text.worse->value != "high" && text.worse->value != "low") {
    return values_.error(text.worse->line,
                         "'worse' is \"high\" or \"low\", not " + in_quotes(text.worse->value));
  }
  rule.low_is_worse = text.worse && text.worse->value == "low";
  if (text.limit) {
    rule.limit = text.limit->value;
    for (const auto& other : {text.deviations, text.floor}) {
      if (other) return values_.error(other->line, "either 'limit' or a threshold of the past");
    }
    for (const auto& other : {text.history, text.history_min}) {
      if (other) return values_.error(other->line, "either 'limit' or a threshold of the past");
    }
  } else {
    MELDEVAKT_TRY(usual(text, rule));
  }
  if (text.back) {
    rule.back = text.back->value;
    if (rule.is_worse(*rule.back, rule.limit.value_or(rule.usual ? rule.usual->floor : 0))) {
      return values_.error(text.back->line,
                           "'back' lies on the better side of 'limit' (or 'floor')");
    }
  }
  MELDEVAKT_TRY(values_.duration(text.lasting, rule.lasting, hours(24)));
  MELDEVAKT_TRY(values_.duration(text.gap, rule.gap, hours(24)));
  return {};
}

Status MetricLoader::meaning(const MetricText& text, MetricRule& rule) {
  if (!text.signal) return values_.error(text.line, "metric '" + rule.name + "' has no 'signal'");
  rule.signal = signal_from_string(text.signal->value);
  if (!rule.signal) {
    return values_.error(text.signal->line,
                         "unknown signal " + in_quotes(text.signal->value) +
                             did_you_mean(text.signal->value, all_signal_names()));
  }
  if (is_message_signal(*rule.signal)) {
    return values_.error(text.signal->line, "a number tells of no message");
  }
  if (text.code) {
    if (!is_plain_code(text.code->value)) {
      return values_.error(text.code->line,
                           "a code has at most 48 of a-z, A-Z, 0-9, '/', '.', '_' and '-'");
    }
    rule.code = text.code->value;
  }
  if (text.opens) {
    if (text.opens->value != "overload") {
      return values_.error(text.opens->line,
                           "only \"overload\" can be opened, not " + in_quotes(text.opens->value));
    }
    rule.opens_window = true;
  }
  if (!text.driver) return {};
  if (!is_plain_name(text.driver->value)) {
    return values_.error(text.driver->line, "a driver has a-z, 0-9, '.', '_' and '-' only");
  }
  rule.driver = text.driver->value;
  return {};
}

Result<MetricRule> MetricLoader::load(const MetricText& text) {
  MetricRule rule;
  MELDEVAKT_TRY(name(text, rule));
  MELDEVAKT_TRY(place(text, rule));
  MELDEVAKT_TRY(threshold(text, rule));
  MELDEVAKT_TRY(meaning(text, rule));
  rule.made_up = text.made_up;
  rule.match = text.match;
  rule.no_match = text.no_match;
  return rule;
}

}  // namespace

Status load_metrics(const PackText& text, const Pack& pack, PackProgram& program) {
  if (text.metrics.empty()) return {};
  const PackValues values{text.file};
  const MetricText& first = text.metrics.front();
  // A record's numbers hold no literal that could be looked for beforehand.
  if (!is_structured(pack.shape.kind) || !pack.every_record) {
    return values.error(first.line,
                        "[[metric]] needs a structured 'kind' and 'every_record = true'");
  }
  if (text.metrics.size() > kMetricsMax) {
    return values.error(text.metrics[kMetricsMax].line,
                        "more than " + std::to_string(kMetricsMax) + " metrics");
  }
  std::set<std::string> taken;
  for (const Rule& rule : program.rules) taken.insert(rule.id);
  MetricLoader loader{text.file, std::move(taken)};
  for (const MetricText& metric : text.metrics) {
    MELDEVAKT_TRY_ASSIGN(MetricRule rule, loader.load(metric));
    program.metrics.push_back(std::move(rule));
  }
  return {};
}

}  // namespace meldevakt::agent
