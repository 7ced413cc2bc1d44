#include "agent/recognise/pack_toml.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include <toml++/toml.h>

#include "agent/recognise/pack_words.h"
#include "common/base/text.h"

namespace meldevakt::agent {
namespace {

std::uint32_t line_of(const toml::node& node) {
  return static_cast<std::uint32_t>(node.source().begin.line);
}

// One key of a table and what to do with its value.
struct Key {
  std::string name;
  std::function<Status(const toml::node&)> take;
};

// Reads the keys of tables; carries the file's name into every error.
class Reader {
 public:
  explicit Reader(std::string_view file) : file_{file} {}

  [[nodiscard]] Error error(std::uint32_t line, std::string_view what) const {
    return pack_error(file_, line, what);
  }
  [[nodiscard]] Error error(const toml::node& node, std::string_view what) const {
    return error(line_of(node), what);
  }

  Status table(const toml::table& table, std::string_view where,
               const std::vector<Key>& keys) const;

  // A reader for each kind of value.
  [[nodiscard]] std::function<Status(const toml::node&)> text(std::optional<Text>& into) const;
  [[nodiscard]] std::function<Status(const toml::node&)> whole(std::optional<Whole>& into) const;
  [[nodiscard]] std::function<Status(const toml::node&)> decimal(
      std::optional<Decimal>& into) const;
  [[nodiscard]] std::function<Status(const toml::node&)> flag(bool& into) const;
  [[nodiscard]] std::function<Status(const toml::node&)> texts(std::vector<Text>& into) const;
  [[nodiscard]] std::function<Status(const toml::node&)> samples(std::vector<Sample>& into) const;

 private:
  std::string file_;
};

Status Reader::table(const toml::table& table, std::string_view where,
                     const std::vector<Key>& keys) const {
  for (const auto& [name, node] : table) {
    const std::string_view key = name.str();
    const auto known =
        std::find_if(keys.begin(), keys.end(), [key](const Key& k) { return k.name == key; });
    if (known == keys.end()) {
      std::vector<std::string> names;
      for (const Key& k : keys) names.push_back(k.name);
      const std::optional<std::string> nearest = nearest_name(key, names);
      return error(static_cast<std::uint32_t>(name.source().begin.line),
                   "unknown key '" + std::string{key} + "' in " + std::string{where} +
                       (nearest ? "; did you mean '" + *nearest + "'?" : ""));
    }
    if (Status taken = known->take(node); !taken) return taken;
  }
  return {};
}

std::function<Status(const toml::node&)> Reader::text(std::optional<Text>& into) const {
  return [this, &into](const toml::node& node) -> Status {
    const auto value = node.value_exact<std::string>();
    if (!value) return error(node, "a string is needed here");
    into = Text{*value, line_of(node)};
    return {};
  };
}

std::function<Status(const toml::node&)> Reader::whole(std::optional<Whole>& into) const {
  return [this, &into](const toml::node& node) -> Status {
    const auto value = node.value_exact<std::int64_t>();
    if (!value) return error(node, "a whole number is needed here");
    into = Whole{*value, line_of(node)};
    return {};
  };
}

// Also one that is written without a point: 90 is 90.0.
std::function<Status(const toml::node&)> Reader::decimal(std::optional<Decimal>& into) const {
  return [this, &into](const toml::node& node) -> Status {
    const auto value = node.is_number() ? node.value<double>() : std::nullopt;
    if (!value || !std::isfinite(*value)) return error(node, "a number is needed here");
    into = Decimal{*value, line_of(node)};
    return {};
  };
}

std::function<Status(const toml::node&)> Reader::flag(bool& into) const {
  return [this, &into](const toml::node& node) -> Status {
    const auto value = node.value_exact<bool>();
    if (!value) return error(node, "true or false is needed here");
    into = *value;
    return {};
  };
}

std::function<Status(const toml::node&)> Reader::texts(std::vector<Text>& into) const {
  return [this, &into](const toml::node& node) -> Status {
    if (const auto value = node.value_exact<std::string>()) {
      into.push_back(Text{*value, line_of(node)});
      return {};
    }
    const toml::array* const array = node.as_array();
    if (array == nullptr) return error(node, "a string or a list of strings is needed here");
    for (const toml::node& element : *array) {
      const auto value = element.value_exact<std::string>();
      if (!value) return error(element, "a string is needed here");
      into.push_back(Text{*value, line_of(element)});
    }
    return {};
  };
}

std::function<Status(const toml::node&)> Reader::samples(std::vector<Sample>& into) const {
  return [this, &into](const toml::node& node) -> Status {
    std::vector<Text> list;
    MELDEVAKT_TRY(texts(list)(node));
    for (Text& sample : list) {
      // A multi-line string ends with the line end before its closing quotes: not the sample's.
      if (!sample.value.empty() && sample.value.back() == '\n') sample.value.pop_back();
      into.push_back(Sample{std::move(sample.value), sample.line});
    }
    return {};
  };
}

Status read_scope_table(const Reader& reader, const toml::node& node, RecordText& record) {
  const toml::table* const table = node.as_table();
  if (table == nullptr) {
    return reader.error(node,
                        "a table of patterns is needed here, e.g. { thread = '\\[(\\d+)\\]' }");
  }
  std::vector<std::pair<toml::source_position, std::pair<std::string, Text>>> found;
  for (const auto& [name, value] : *table) {
    std::optional<Text> pattern;
    MELDEVAKT_TRY(reader.text(pattern)(value));
    found.push_back({name.source().begin, {std::string{name.str()}, *pattern}});
  }
  // TOML's tables have no order; the file does, and the outermost scope is written first.
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [position, scope] : found) record.scope.push_back(std::move(scope));
  return {};
}

// "header", a list of names, or a list of lists of names.
Status read_columns(const Reader& reader, const toml::node& node, RecordText& record) {
  record.columns_line = line_of(node);
  if (node.value_exact<std::string>() == "header") {
    record.columns_from_header = true;
    return {};
  }
  const toml::array* const array = node.as_array();
  if (array == nullptr || array->empty()) {
    return reader.error(node,
                        "a list of the columns' names is needed here, a list of such lists, or "
                        "\"header\"");
  }
  if (array->front().as_array() == nullptr)
    return reader.texts(record.columns.emplace_back())(node);
  for (const toml::node& list : *array) {
    if (list.as_array() == nullptr) return reader.error(list, "a list of names is needed here");
    MELDEVAKT_TRY(reader.texts(record.columns.emplace_back())(list));
  }
  return {};
}

Status read_record(const Reader& reader, const toml::node& node, RecordText& record) {
  const toml::table* const table = node.as_table();
  if (table == nullptr) return reader.error(node, "[record] must be a table");
  record.line = line_of(node);
  return reader.table(
      *table, "[record]",
      {{"kind", reader.text(record.kind)},
       {"starts", reader.texts(record.starts)},
       {"continues", reader.texts(record.continues)},
       {"header_only", reader.texts(record.header_only)},
       {"joins", reader.texts(record.joins)},
       {"time", reader.texts(record.time)},
       {"time_at", reader.texts(record.time_at)},
       {"time_field", reader.texts(record.time_field)},
       {"named_by", reader.texts(record.named_by)},
       {"head_lines", reader.whole(record.head_lines)},
       {"zone", reader.text(record.zone)},
       {"utc_offset_at", reader.text(record.utc_offset_at)},
       {"utc_bias_at", reader.text(record.utc_bias_at)},
       {"body", reader.text(record.body)},
       {"body_field", reader.text(record.body_field)},
       {"process", reader.text(record.process)},
       {"scope", [&](const toml::node& n) { return read_scope_table(reader, n, record); }},
       {"columns", [&](const toml::node& n) { return read_columns(reader, n, record); }},
       {"delimiter", reader.text(record.delimiter)},
       {"element", reader.text(record.element)},
       {"byte_fields", reader.texts(record.byte_fields)},
       {"every_record", reader.flag(record.every_record)},
       {"lines_max", reader.whole(record.lines_max)},
       {"bytes_max", reader.whole(record.bytes_max)},
       {"idle", reader.text(record.idle)},
       {"flush_lag", reader.text(record.flush_lag)}});
}

Status read_scope(const Reader& reader, const toml::node& node, PackText& pack) {
  const toml::table* const table = node.as_table();
  if (table == nullptr) return reader.error(node, "[scope] must be a table");
  return reader.table(*table, "[scope]",
                      {{"age_max", reader.text(pack.age_max)},
                       {"look_back", reader.text(pack.look_back)},
                       {"look_back_signals_max", reader.whole(pack.look_back_signals_max)}});
}

Status read_rule(const Reader& reader, const toml::node& node, RuleText& rule) {
  const toml::table* const table = node.as_table();
  if (table == nullptr) return reader.error(node, "[[rule]] must be a list of tables");
  rule.line = line_of(node);
  return reader.table(*table, "[[rule]]",
                      {{"id", reader.text(rule.id)},
                       {"signal", reader.text(rule.signal)},
                       {"literal", reader.texts(rule.literal)},
                       {"any_literal", reader.texts(rule.any_literal)},
                       {"pattern", reader.text(rule.pattern)},
                       {"code", reader.text(rule.code)},
                       {"code_prefix", reader.text(rule.code_prefix)},
                       {"outcome", reader.text(rule.outcome)},
                       {"form", reader.text(rule.form)},
                       {"ms_min", reader.whole(rule.ms_min)},
                       {"opens", reader.text(rule.opens)},
                       {"driver", reader.text(rule.driver)},
                       {"ends_scope", reader.flag(rule.ends_scope)},
                       {"restarts_process", reader.flag(rule.restarts_process)},
                       {"stop", reader.flag(rule.stop)},
                       {"made_up", reader.flag(rule.made_up)},
                       {"also", reader.texts(rule.also)},
                       {"match", reader.samples(rule.match)},
                       {"no_match", reader.samples(rule.no_match)}});
}

Status read_rules(const Reader& reader, const toml::node& node, std::vector<RuleText>& rules) {
  const toml::array* const array = node.as_array();
  if (array == nullptr) return reader.error(node, "rules are written [[rule]], with two brackets");
  for (const toml::node& element : *array) {
    RuleText rule;
    MELDEVAKT_TRY(read_rule(reader, element, rule));
    rules.push_back(std::move(rule));
  }
  return {};
}

Status read_metric(const Reader& reader, const toml::node& node, MetricText& metric) {
  const toml::table* const table = node.as_table();
  if (table == nullptr) return reader.error(node, "[[metric]] must be a list of tables");
  metric.line = line_of(node);
  return reader.table(*table, "[[metric]]",
                      {{"name", reader.text(metric.name)},
                       {"column", reader.text(metric.column)},
                       {"field", reader.texts(metric.field)},
                       {"unit", reader.text(metric.unit)},
                       {"worse", reader.text(metric.worse)},
                       {"limit", reader.decimal(metric.limit)},
                       {"back", reader.decimal(metric.back)},
                       {"deviations", reader.decimal(metric.deviations)},
                       {"floor", reader.decimal(metric.floor)},
                       {"history", reader.text(metric.history)},
                       {"history_min", reader.text(metric.history_min)},
                       {"for", reader.text(metric.lasting)},
                       {"gap", reader.text(metric.gap)},
                       {"signal", reader.text(metric.signal)},
                       {"code", reader.text(metric.code)},
                       {"opens", reader.text(metric.opens)},
                       {"driver", reader.text(metric.driver)},
                       {"made_up", reader.flag(metric.made_up)},
                       {"match", reader.samples(metric.match)},
                       {"no_match", reader.samples(metric.no_match)}});
}

Status read_metrics(const Reader& reader, const toml::node& node,
                    std::vector<MetricText>& metrics) {
  const toml::array* const array = node.as_array();
  if (array == nullptr) {
    return reader.error(node, "metrics are written [[metric]], with two brackets");
  }
  for (const toml::node& element : *array) {
    MELDEVAKT_TRY(read_metric(reader, element, metrics.emplace_back()));
  }
  return {};
}

Status read_top(const Reader& reader, const toml::table& table, PackText& pack) {
  return reader.table(
      table, "the pack",
      {{"pack", reader.text(pack.pack)},
       {"version", reader.text(pack.version)},
       {"product", reader.text(pack.product)},
       {"observes", reader.texts(pack.observes)},
       {"encoding", reader.texts(pack.encoding)},
       {"read_by", reader.texts(pack.read_by)},
       {"include", reader.texts(pack.include)},
       {"include_sample", reader.texts(pack.include_sample)},
       {"record", [&](const toml::node& n) { return read_record(reader, n, pack.record); }},
       {"scope", [&](const toml::node& n) { return read_scope(reader, n, pack); }},
       {"metric", [&](const toml::node& n) { return read_metrics(reader, n, pack.metrics); }},
       {"rule", [&](const toml::node& n) { return read_rules(reader, n, pack.rules); }}});
}

}  // namespace

Result<PackText> read_pack_toml(std::string_view toml, std::string_view file_name) {
  PackText pack;
  pack.file = file_name;
  try {
    const toml::table table = toml::parse(toml, file_name);
    MELDEVAKT_TRY(read_top(Reader{file_name}, table, pack));
  } catch (const toml::parse_error& failure) {
    return pack_error(file_name, static_cast<std::uint32_t>(failure.source().begin.line),
                      failure.description());
  }
  return pack;
}

Result<std::vector<RuleText>> read_shared_toml(std::string_view toml, std::string_view file_name) {
  std::vector<RuleText> rules;
  const Reader reader{file_name};
  try {
    const toml::table table = toml::parse(toml, file_name);
    MELDEVAKT_TRY(reader.table(
        table, "a file of shared rules",
        {{"rule", [&](const toml::node& n) { return read_rules(reader, n, rules); }}}));
  } catch (const toml::parse_error& failure) {
    return pack_error(file_name, static_cast<std::uint32_t>(failure.source().begin.line),
                      failure.description());
  }
  return rules;
}

}  // namespace meldevakt::agent
