#include "agent/recognise/metric_readings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "agent/frame/field_view.h"

namespace meldevakt::agent {
namespace {

constexpr std::size_t kNumberBytesMax = 40;

// A field's name as the log has it: the view writes \ for what would end a name or a line.
std::string unescaped(std::string_view name) {
  std::string out;
  for (std::size_t at = 0; at < name.size(); ++at) {
    if (name[at] != '\\' || at + 1 == name.size()) {
      out += name[at];
      continue;
    }
    const char next = name[++at];
    out += next == 'n' ? '\n' : next == 'r' ? '\r' : next;
  }
  return out;
}

// Where "=" ends the name.
std::size_t end_of_name(std::string_view line) {
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] == '\\') {
      ++at;
    } else if (line[at] == '=') {
      return at;
    }
  }
  return std::string_view::npos;
}

}  // namespace

std::optional<double> metric_value(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  if (text.empty() || text.size() > kNumberBytesMax) return std::nullopt;
  std::array<char, kNumberBytesMax> number{};
  std::replace_copy(text.begin(), text.end(), number.begin(), ',', '.');
  const char* const end = number.data() + text.size();
  double value = 0;
  const auto [stopped, error] = std::from_chars(number.data(), end, value);
  if (error != std::errc{} || stopped != end || !std::isfinite(value) || value < 0) {
    return std::nullopt;
  }
  return value;
}

const std::vector<std::size_t>& MetricReadings::metrics_of(std::string_view name, std::size_t place,
                                                           Matcher& matcher) {
  if (place >= places_.size()) places_.resize(place + 1);
  Place& known = places_[place];
  if (!known.name.empty() && known.name == name) return known.metrics;
  known.name = name;
  known.metrics.clear();
  const std::string written = unescaped(name);
  for (std::size_t i = 0; i < metrics_.size(); ++i) {
    const MetricRule& metric = metrics_[i];
    const bool fits = metric.column ? matcher.match(*metric.column, written) == MatchOutcome::kMatch
                                    : std::find(metric.fields.begin(), metric.fields.end(),
                                                written) != metric.fields.end();
    if (fits) known.metrics.push_back(i);
  }
  return known.metrics;
}

std::vector<MetricReading> MetricReadings::read(std::string_view view, Matcher& matcher) {
  std::vector<std::optional<double>> worst(metrics_.size());
  for (std::size_t place = 0; !view.empty() && place < FieldView::kFieldsMax; ++place) {
    const std::string_view line = view.substr(0, view.find('\n'));
    view.remove_prefix(std::min(line.size() + 1, view.size()));
    const std::size_t equals = end_of_name(line);
    if (equals == std::string_view::npos) continue;
    for (const std::size_t metric : metrics_of(line.substr(0, equals), place, matcher)) {
      const auto value = metric_value(line.substr(equals + 1));
      if (!value) continue;
      std::optional<double>& so_far = worst[metric];
      if (!so_far || metrics_[metric].is_worse(*value, *so_far)) so_far = value;
    }
  }
  std::vector<MetricReading> out;
  for (std::size_t i = 0; i < worst.size(); ++i) {
    if (worst[i]) out.push_back({i, *worst[i]});
  }
  return out;
}

}  // namespace meldevakt::agent
