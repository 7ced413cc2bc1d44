#include "agent/recognise/record_table.h"

#include <algorithm>
#include <array>
#include <utility>

#include "agent/recognise/pack_values.h"
#include "common/base/text.h"

namespace meldevakt::agent {
namespace {

constexpr std::size_t kScopesMax = 4;
constexpr std::size_t kAlternativesMax = 16;
constexpr std::size_t kColumnListsMax = 16;
constexpr std::int64_t kHeadLinesMax = 50;
constexpr std::int64_t kLinesMax = 100'000;
constexpr std::int64_t kBytesMin = 1024;
constexpr std::int64_t kBytesMax = 16 * 1024 * 1024;

bool is_ascii_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == ':';
  });
}

class RecordLoader {
 public:
  RecordLoader(const PackText& text, Pack& pack, PackProgram& program)
      : text_{text.record}, pack_{pack}, program_{program}, values_{text.file} {}
  Status load();

 private:
  Status kind();
  Status fits_kind();
  Status columns();
  Status element();
  Status lines();
  Status times();
  Status names();
  Status time_places();
  Status body();
  Status scopes();
  Status bounds();
  [[nodiscard]] Status only_for(bool given, std::uint32_t line, std::string_view key,
                                std::initializer_list<RecordKind> kinds) const;
  Result<std::vector<LinePattern>> alternatives(const std::vector<Text>& texts, std::size_t groups,
                                                std::string_view key);

  const RecordText& text_;
  Pack& pack_;
  PackProgram& program_;
  PackValues values_;
};

Status RecordLoader::load() {
  if (text_.line == 0) return values_.error(1, "the table [record] is missing");
  MELDEVAKT_TRY(kind());
  MELDEVAKT_TRY(fits_kind());
  MELDEVAKT_TRY(columns());
  MELDEVAKT_TRY(element());
  MELDEVAKT_TRY(lines());
  MELDEVAKT_TRY(times());
  MELDEVAKT_TRY(names());
  MELDEVAKT_TRY(time_places());
  MELDEVAKT_TRY(body());
  MELDEVAKT_TRY(scopes());
  return bounds();
}

Status RecordLoader::kind() {
  if (!text_.kind) return {};
  const auto kind = record_kind_from_string(text_.kind->value);
  if (!kind) {
    return values_.error(text_.kind->line,
                         "unknown kind " + in_quotes(text_.kind->value) +
                             did_you_mean(text_.kind->value, all_record_kind_names()));
  }
  pack_.shape.kind = *kind;
  return {};
}

Status RecordLoader::only_for(bool given, std::uint32_t line, std::string_view key,
                              std::initializer_list<RecordKind> kinds) const {
  if (!given) return {};
  std::string names;
  for (const RecordKind kind : kinds) {
    if (kind == pack_.shape.kind) return {};
    names += (names.empty() ? "\"" : " or \"") + std::string{to_string(kind)} + "\"";
  }
  return values_.error(line, "the key '" + std::string{key} + "' needs kind = " + names);
}

// Keys that say nothing in the pack's kind are refused: somebody thinks that they do.
Status RecordLoader::fits_kind() {
  using enum RecordKind;
  const auto list = [](const std::vector<Text>& texts) {
    return std::pair{!texts.empty(), texts.empty() ? 0U : texts.front().line};
  };
  const auto one = [](const auto& text) {
    return std::pair{text.has_value(), text ? text->line : 0U};
  };
  struct Row {
    std::string_view key;
    std::pair<bool, std::uint32_t> given;
    std::initializer_list<RecordKind> kinds;
  };
  static constexpr std::initializer_list<RecordKind> kOnlyLines{kLines};
  static constexpr std::initializer_list<RecordKind> kLinesOrCsv{kLines, kCsv};
  static constexpr std::initializer_list<RecordKind> kOnlyCsv{kCsv};
  static constexpr std::initializer_list<RecordKind> kOnlyXml{kXml};
  static constexpr std::initializer_list<RecordKind> kOnlyJson{kJsonLines};
  static constexpr std::initializer_list<RecordKind> kStructured{kCsv, kJsonLines, kXml, kW3c};
  const std::array<Row, 13> rows{
      {{"starts", list(text_.starts), kLinesOrCsv},
       {"continues", list(text_.continues), kOnlyLines},
       {"header_only", list(text_.header_only), kLinesOrCsv},
       {"joins", list(text_.joins), kOnlyLines},
       {"head_lines", one(text_.head_lines), kOnlyLines},
       {"columns", {text_.columns_line != 0, text_.columns_line}, kOnlyCsv},
       {"delimiter", one(text_.delimiter), kOnlyCsv},
       {"element", one(text_.element), kOnlyXml},
       {"byte_fields", list(text_.byte_fields), kOnlyJson},
       {"time_field", list(text_.time_field), kStructured},
       {"named_by", list(text_.named_by), kStructured},
       {"body_field", one(text_.body_field), kStructured},
       {"every_record", {text_.every_record, text_.line}, kStructured}}};
  for (const Row& row : rows) {
    MELDEVAKT_TRY(only_for(row.given.first, row.given.second, row.key, row.kinds));
  }
  return {};
}

Status RecordLoader::columns() {
  if (pack_.shape.kind != RecordKind::kCsv) return {};
  if (text_.columns_line == 0) {
    return values_.error(text_.line,
                         "the key 'columns' is missing in [record], e.g. "
                         "[\"time\", \"level\", \"message\"] or \"header\"");
  }
  pack_.shape.columns_from_header = text_.columns_from_header;
  if (text_.columns.size() > kColumnListsMax) {
    return values_.error(text_.columns_line,
                         "more than " + std::to_string(kColumnListsMax) + " lists of columns");
  }
  for (const std::vector<Text>& list : text_.columns) {
    if (list.empty() || list.size() > RecordShape::kColumnsMax) {
      return values_.error(
          text_.columns_line,
          "a list of columns has 1 to " + std::to_string(RecordShape::kColumnsMax) + " names");
    }
    std::vector<std::string>& names = pack_.shape.columns.emplace_back();
    for (const Text& name : list) {
      if (!is_ascii_name(name.value)) {
        return values_.error(name.line,
                             "a column's name has letters, digits, '_', '-', '.' and ':' only");
      }
      names.push_back(name.value);
    }
    for (std::size_t i = 0; i + 1 < pack_.shape.columns.size(); ++i) {
      if (pack_.shape.columns[i].size() == names.size()) {
        return values_.error(list.front().line, "two lists of columns have the same length");
      }
    }
  }
  if (text_.header_only.empty() || text_.columns_from_header) return {};
  return values_.error(text_.header_only.front().line,
                       "in csv 'header_only' is for columns = \"header\"");
}

Status RecordLoader::element() {
  if (text_.delimiter) {
    const std::string& value = text_.delimiter->value;
    const bool found = value == "header" && pack_.shape.columns_from_header;
    const bool usable =
        found || (value.size() == 1 && (value[0] == '\t' || (value[0] >= '!' && value[0] <= '~')) &&
                  value[0] != '"');
    if (!usable) {
      return values_.error(
          text_.delimiter->line,
          "a delimiter is one ASCII character that is neither a quote nor blank, or "
          "\"header\" where columns = \"header\"");
    }
    pack_.shape.delimiter = found ? RecordShape::kDelimiterFromHeader : value[0];
  }
  for (const Text& name : text_.byte_fields) pack_.shape.byte_fields.push_back(name.value);
  if (pack_.shape.kind != RecordKind::kXml) return {};
  if (!text_.element) {
    return values_.error(text_.line,
                         "the key 'element' is missing in [record], e.g. \"msg\" or \"Event\"");
  }
  if (!is_ascii_name(text_.element->value) ||
      text_.element->value.size() > RecordShape::kElementBytesMax) {
    return values_.error(text_.element->line, "an element's name has at most " +
                                                  std::to_string(RecordShape::kElementBytesMax) +
                                                  " letters, digits, '_', '-', '.' and ':'");
  }
  pack_.shape.element = text_.element->value;
  return {};
}

Result<std::vector<LinePattern>> RecordLoader::alternatives(const std::vector<Text>& texts,
                                                            std::size_t groups,
                                                            std::string_view key) {
  if (texts.size() > kAlternativesMax) {
    return values_.error(texts[kAlternativesMax].line,
                         "more than " + std::to_string(kAlternativesMax) + " patterns");
  }
  std::vector<LinePattern> out;
  for (const Text& text : texts) {
    MELDEVAKT_TRY_ASSIGN(Pattern pattern, values_.plain(text, groups, true, key));
    out.push_back({std::move(pattern), groups == 0 ? FixedShape::of(text.value) : std::nullopt});
  }
  return out;
}

Status RecordLoader::lines() {
  if (pack_.shape.kind == RecordKind::kLines && text_.starts.empty()) {
    return values_.error(text_.line, "the key 'starts' is missing in [record]");
  }
  MELDEVAKT_TRY_ASSIGN(program_.starts, alternatives(text_.starts, 0, "starts"));
  MELDEVAKT_TRY_ASSIGN(program_.continues, alternatives(text_.continues, 0, "continues"));
  MELDEVAKT_TRY_ASSIGN(program_.header_only, alternatives(text_.header_only, 0, "header_only"));
  MELDEVAKT_TRY_ASSIGN(program_.joins, alternatives(text_.joins, 1, "joins"));
  return values_.bounded(text_.head_lines, 1, kHeadLinesMax, program_.head_lines);
}

Status RecordLoader::times() {
  const bool is_w3c = pack_.shape.kind == RecordKind::kW3c;
  if (text_.time.empty() && !is_w3c) {
    return values_.error(text_.line,
                         "the key 'time' is missing in [record], e.g. "
                         "\"%Y-%m-%d %H:%M:%S,%f\"");
  }
  program_.time_is_arrival = text_.time.size() == 1 && text_.time.front().value == "arrival";
  if (program_.time_is_arrival) return {};
  if (text_.time.size() > kAlternativesMax) {
    return values_.error(text_.time[kAlternativesMax].line,
                         "more than " + std::to_string(kAlternativesMax) + " time formats");
  }
  for (const Text& format : text_.time) {
    Result<TimeFormat> parsed = TimeFormat::parse(format.value);
    if (!parsed) return values_.error(format.line, parsed.error().message());
    program_.times.push_back(std::move(parsed).value());
  }
  if (program_.times.empty())
    program_.times.push_back(TimeFormat::parse("%Y-%m-%d %H:%M:%S%z").value());
  return {};
}

Status RecordLoader::names() {
  for (const Text& name : text_.named_by) {
    const auto is_same = [&](const std::string& other) { return other == name.value; };
    if (name.value.empty() ||
        std::any_of(program_.named_by.begin(), program_.named_by.end(), is_same)) {
      return values_.error(name.line,
                           "'named_by' has '" + quoted(name.value) +
                               "': name fields of the record, each once, e.g. \"__CURSOR\"");
    }
    if (program_.named_by.size() == kAlternativesMax) {
      return values_.error(name.line, "more than " + std::to_string(kAlternativesMax) +
                                          " fields in 'named_by': keep those that are together "
                                          "never the same in two records");
    }
    program_.named_by.push_back(name.value);
  }
  return {};
}

Status RecordLoader::time_places() {
  if (!text_.time_at.empty() && !text_.time_field.empty()) {
    return values_.error(text_.time_at.front().line, "'time_at' and 'time_field' say the same");
  }
  if (text_.time_at.size() > kAlternativesMax || text_.time_field.size() > kAlternativesMax) {
    return values_.error(text_.line, "more than " + std::to_string(kAlternativesMax) +
                                         " places where the time may be");
  }
  for (const Text& text : text_.time_at) {
    MELDEVAKT_TRY_ASSIGN(Pattern pattern, values_.plain(text, 1, false, "time_at"));
    program_.time_at.push_back(std::move(pattern));
  }
  for (const Text& name : text_.time_field) program_.time_fields.push_back(name.value);
  if (pack_.shape.kind == RecordKind::kW3c && text_.time_at.empty() && text_.time_field.empty()) {
    program_.time_fields.emplace_back("datetime");
  }
  if (text_.utc_offset_at) {
    MELDEVAKT_TRY_ASSIGN(program_.utc_offset_at,
                         values_.plain(*text_.utc_offset_at, 1, false, "utc_offset_at"));
  }
  if (text_.utc_bias_at) {
    MELDEVAKT_TRY_ASSIGN(program_.utc_bias_at,
                         values_.plain(*text_.utc_bias_at, 1, false, "utc_bias_at"));
  }
  return {};
}

Status RecordLoader::body() {
  if (text_.body && text_.body_field) {
    return values_.error(text_.body_field->line, "'body' and 'body_field' say the same");
  }
  if (text_.body) {
    MELDEVAKT_TRY_ASSIGN(program_.body, values_.plain(*text_.body, 1, true, "body"));
  }
  if (text_.body_field) program_.body_field = text_.body_field->value;
  return {};
}

Status RecordLoader::scopes() {
  if (text_.process) {
    MELDEVAKT_TRY_ASSIGN(program_.process, values_.plain(*text_.process, 1, false, "process"));
  }
  if (text_.scope.size() > kScopesMax) {
    return values_.error(text_.scope.back().second.line,
                         "more than " + std::to_string(kScopesMax) + " scopes");
  }
  for (const auto& [name, pattern] : text_.scope) {
    if (!is_plain_name(name)) {
      return values_.error(pattern.line, "a scope's name has a-z, 0-9, '.', '_' and '-' only");
    }
    MELDEVAKT_TRY_ASSIGN(Pattern compiled, values_.plain(pattern, 1, false, "scope " + name));
    program_.scopes.push_back({name, std::move(compiled)});
  }
  if (text_.zone) pack_.default_zone = text_.zone->value;
  return {};
}

Status RecordLoader::bounds() {
  pack_.every_record = text_.every_record;
  MELDEVAKT_TRY(values_.bounded(text_.lines_max, 1, kLinesMax, pack_.record_lines_max));
  MELDEVAKT_TRY(values_.bounded(text_.bytes_max, kBytesMin, kBytesMax, pack_.record_bytes_max));
  MELDEVAKT_TRY(values_.duration(text_.idle, pack_.record_idle, minutes(10)));
  return values_.duration(text_.flush_lag, pack_.flush_lag, hours(24));
}

// Characters that a kind may write otherwise than its field view does.
std::string changed_characters(const RecordShape& shape) {
  switch (shape.kind) {
    case RecordKind::kLines: return "";
    case RecordKind::kCsv:
      return shape.delimiter == RecordShape::kDelimiterFromHeader
                 ? "\"\\=;,\t"
                 : std::string{"\"\\="} + shape.delimiter;
    case RecordKind::kJsonLines: return "\"\\=/'<>&+";
    case RecordKind::kXml: return "\"\\='<>&";
    case RecordKind::kW3c: return "\"\\= ";
  }
  return "";
}

}  // namespace

Status load_record(const PackText& text, Pack& pack, PackProgram& program) {
  return RecordLoader{text, pack, program}.load();
}

Status check_literals(const std::string& file, const Pack& pack, const PackProgram& program) {
  if (!is_structured(pack.shape.kind) || pack.every_record) return {};
  const std::string changed = changed_characters(pack.shape);
  for (const Rule& rule : program.rules) {
    for (const auto* literals : {&rule.literal_text, &rule.any_text}) {
      for (const std::string& literal : *literals) {
        const auto stands_in_both = [&changed](char c) {
          return c >= ' ' && c <= '~' && changed.find(c) == std::string::npos;
        };
        if (std::all_of(literal.begin(), literal.end(), stands_in_both)) continue;
        return pack_error(rule.file.empty() ? file : rule.file, rule.line,
                          "rule '" + rule.id + "': the literal " + in_quotes(literal) +
                              " may be written otherwise in a file of kind \"" +
                              std::string{to_string(pack.shape.kind)} +
                              "\"; take a part of one value, ASCII, without any of " +
                              in_quotes(changed));
      }
    }
  }
  return {};
}

}  // namespace meldevakt::agent
