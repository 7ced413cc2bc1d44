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

struct RuleText {
  std::uint32_t line = 0;
  std::optional<Text> id, signal, pattern, code, code_prefix, outcome, form, opens, driver;
  std::vector<Text> literal, any_literal;
  std::optional<Whole> ms_min;
  bool ends_scope = false;
  bool restarts_process = false;
  bool stop = false;
  std::vector<Sample> match, no_match;
};

struct PackText {
  std::string file;
  std::optional<Text> pack, version, product;
  std::vector<Text> observes, encoding;
  std::uint32_t record_line = 0;  // 0: there is no [record]
  std::optional<Text> starts, time_at, body, process, idle, flush_lag, zone;
  std::vector<Text> time;
  std::vector<std::pair<std::string, Text>> scope;  // as written, outermost first
  std::optional<Whole> lines_max, bytes_max;
  std::optional<Text> age_max, look_back;
  std::optional<Whole> look_back_signals_max;
  std::vector<RuleText> rules;
};

[[nodiscard]] Result<PackText> read_pack_toml(std::string_view toml, std::string_view file_name);

}  // namespace meldevakt::agent
