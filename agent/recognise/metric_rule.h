// [[metric]] of a pack compiled: which number of a record is looked at, and when it is bad.
// Thread-safety: const once made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/recognise/pattern.h"
#include "common/base/time.h"
#include "common/summary/signal.h"

namespace meldevakt::agent {

struct Sample {
  std::string text;
  std::uint32_t line = 0;  // in the pack's file
};

// A number in a record. Of several fields that fit, the worst.
struct MetricReading {
  std::size_t metric = 0;  // index into PackProgram::metrics
  double value = 0;
  auto operator<=>(const MetricReading&) const = default;
};

// An operator's limits, by metric, in place of the pack's.
using MetricLimits = std::map<std::string, double>;

// A robust threshold: median of the source's own past, and so many deviations (MAD scaled to that
// of a normal distribution) to the worse side; never on the better side of `floor`.
struct UsualValues {
  double deviations = 6;
  double floor = 0;
  Duration history = hours(24);
  Duration history_min = hours(1);  // nothing is said before
};

struct MetricRule {
  std::string name;  // also the rule's id in facts and findings
  std::uint32_t line = 0;
  std::optional<Pattern> column;    // found in the field's name; or
  std::vector<std::string> fields;  // its names
  std::string unit;
  bool low_is_worse = false;
  std::optional<double> limit;  // one of these two
  std::optional<UsualValues> usual;
  std::optional<double> back;  // it stays bad until it is better than this; none: PACK.md
  Duration lasting;            // so long must it be bad before it counts ("for")
  Duration gap = minutes(10);  // samples further apart know nothing of the time between them
  std::optional<Signal> signal;
  std::string code;
  std::string driver;
  bool opens_window = false;
  bool made_up = false;
  std::vector<Sample> match;
  std::vector<Sample> no_match;

  [[nodiscard]] bool is_worse(double a, double b) const { return low_is_worse ? a < b : a > b; }
};

}  // namespace meldevakt::agent
