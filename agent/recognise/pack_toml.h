// Strict reading of a pack's TOML: every key is known or an error with file, line and nearest name.
// Gives plain values with the lines they came from; pack.cpp makes a Pack of them. Private to
// agent/recognise. Thread-safety: pure functions. Errors: kInvalid.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/recognise/program.h"
#include "common/base/result.h"

namespace meldevakt::agent {

struct Text {
  std::string value;
  std::uint32_t line = 0;
};
struct Whole {
  std::int64_t value = 0;
  std::uint32_t line = 0;
};

struct Decimal {
  double value = 0;
  std::uint32_t line = 0;
};

struct MetricText {
  std::uint32_t line = 0;
  std::optional<Text> name, column, unit, worse, lasting, history, history_min, gap;
  std::optional<Text> signal, code, opens, driver;
  std::vector<Text> field;
  std::optional<Decimal> limit, back, deviations, floor;
  bool made_up = false;
  std::vector<Sample> match, no_match;
};

struct RuleText {
  std::uint32_t line = 0;
  std::string file;  // of a rule that the pack includes; "" is the pack's own
  std::optional<Text> id, signal, pattern, code, code_prefix, outcome, form, opens, driver;
  std::vector<Text> literal, any_literal, also;
  std::optional<Whole> ms_min;
  bool ends_scope = false;
  bool restarts_process = false;
  bool stop = false;
  bool made_up = false;
  std::vector<Sample> match, no_match;
};

struct RecordText {
  std::uint32_t line = 0;  // 0: there is no [record]
  std::optional<Text> kind, zone, body, body_field, process, delimiter, element, idle, flush_lag;
  std::optional<Text> utc_offset_at, utc_bias_at;
  std::vector<Text> starts, continues, header_only, joins, time, time_at, time_field, byte_fields;
  std::vector<Text> named_by;
  std::vector<std::pair<std::string, Text>> scope;  // as written, outermost first
  std::vector<std::vector<Text>> columns;
  std::uint32_t columns_line = 0;
  bool columns_from_header = false;
  bool every_record = false;
  std::optional<Whole> head_lines, lines_max, bytes_max;
};

struct PackText {
  std::string file;
  std::optional<Text> pack, version, product;
  std::vector<Text> observes, encoding, include, include_sample, read_by;
  RecordText record;
  std::optional<Text> age_max, look_back;
  std::optional<Whole> look_back_signals_max;
  std::vector<RuleText> rules;
  std::vector<MetricText> metrics;
};

[[nodiscard]] Result<PackText> read_pack_toml(std::string_view toml, std::string_view file_name);
// A file of rules that packs include: nothing but [[rule]]s.
[[nodiscard]] Result<std::vector<RuleText>> read_shared_toml(std::string_view toml,
                                                             std::string_view file_name);

}  // namespace meldevakt::agent
