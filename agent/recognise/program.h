// A pack compiled: what Recogniser runs. Private to agent/recognise; load_pack() makes it.
// Thread-safety: const once made.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/recognise/fixed_shape.h"
#include "agent/recognise/literal_filter.h"
#include "agent/recognise/metric_rule.h"
#include "agent/recognise/pattern.h"
#include "agent/recognise/time_format.h"
#include "common/summary/signal.h"

namespace meldevakt::agent {

struct Rule {
  std::string id;
  std::string file;  // that it is written in, when the pack includes it; "" is the pack's own
  std::uint32_t line = 0;
  std::optional<Signal> signal;
  LiteralSet all_of;                      // ids into PackProgram::literals
  LiteralSet any_of;                      // none set: no such condition
  std::vector<std::string> literal_text;  // of all_of, for rules without a pattern
  std::vector<std::string> any_text;
  std::optional<Pattern> pattern;
  std::string code;
  std::string code_prefix;
  std::optional<Outcome> outcome;
  std::optional<FormType> form;
  std::optional<std::uint32_t> ms_min;
  bool opens_window = false;
  std::string driver;
  bool ends_scope = false;
  bool restarts_process = false;
  bool stop = false;
  bool made_up = false;           // its samples are invented: no real record was at hand
  std::vector<std::string> also;  // rules that read its records too; "sql-*" is all of that name
  std::vector<Sample> match;
  std::vector<Sample> no_match;
};

struct ScopePattern {
  std::string name;
  Pattern pattern;
};

// A pattern asked of the beginning of every line.
struct LinePattern {
  Pattern pattern;
  std::optional<FixedShape> shape;  // the same, when it is so simple
};

struct PackProgram {
  std::string file_name;
  std::vector<LinePattern> starts;  // any of them
  std::vector<LinePattern> continues;
  std::vector<LinePattern> header_only;
  std::vector<LinePattern> joins;  // one group each
  std::vector<Pattern> time_at;    // the first that matches
  std::vector<std::string> time_fields;
  std::vector<std::string> named_by;  // fields that together name a record wherever it stands
  std::vector<TimeFormat> times;
  bool time_is_arrival = false;
  std::size_t head_lines = 1;
  std::optional<Pattern> utc_offset_at;
  std::optional<Pattern> utc_bias_at;
  std::optional<Pattern> body;
  std::string body_field;
  std::optional<Pattern> process;
  std::vector<ScopePattern> scopes;  // outermost first
  std::vector<std::string> literals;
  LiteralFilter filter{{}};
  std::vector<Rule> rules;
  std::vector<MetricRule> metrics;
  std::vector<std::string> read_by;  // packs that read the same log for other reasons
};

}  // namespace meldevakt::agent
