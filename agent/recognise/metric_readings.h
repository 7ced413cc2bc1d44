// The numbers of a structured record that a pack's metrics look at. Private to agent/recognise.
//
//   MetricReadings readings{metrics};
//   out = readings.read(record.text);      // its field view
//
// A value that is no number (a blank, "-", text), not finite, or negative is no reading: none of
// what is measured here is below nought, and -1 is how some programs write "not known". A decimal
// comma is understood. Of several fields of one metric the worst counts.
//
// Which metric looks at which field is remembered by the field's place, so that a row of a thousand
// columns costs a thousand comparisons. Bounds: FieldView's. Thread-safety: none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/recognise/metric_rule.h"
#include "agent/recognise/pattern.h"

namespace meldevakt::agent {

class MetricReadings {
 public:
  // `metrics` must outlive this object.
  explicit MetricReadings(const std::vector<MetricRule>& metrics) : metrics_{metrics} {}

  // In order of metrics, each at most once.
  [[nodiscard]] std::vector<MetricReading> read(std::string_view view, Matcher& matcher);

 private:
  struct Place {
    std::string name;  // as it stands in the view
    std::vector<std::size_t> metrics;
  };
  [[nodiscard]] const std::vector<std::size_t>& metrics_of(std::string_view name, std::size_t place,
                                                           Matcher& matcher);

  const std::vector<MetricRule>& metrics_;
  std::vector<Place> places_;
};

// "97.104", "0,18", "4.6e-05"; nullopt for what is no number, or below nought.
[[nodiscard]] std::optional<double> metric_value(std::string_view text);

}  // namespace meldevakt::agent
