#include "agent/recognise/metric_watch.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "agent/recognise/program.h"

namespace meldevakt::agent {
namespace {

constexpr std::string_view kVersion = "metrics-1";
// A deviation of a normal distribution is so many median absolute deviations.
constexpr double kDeviationPerMad = 1.4826;

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::string text_of(double value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end};
}

// Words between blanks, one after the other; a word that is no number of its kind ends the reading.
class Words {
 public:
  explicit Words(std::string_view text) : text_{text} {}
  [[nodiscard]] std::string_view next() {
    const std::string_view word = text_.substr(0, text_.find(' '));
    text_.remove_prefix(std::min(word.size() + 1, text_.size()));
    return word;
  }
  template <typename T>
  [[nodiscard]] std::optional<T> number() {
    const std::string_view word = next();
    T value{};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc{} || end != word.data() + word.size() || word.empty()) {
      return std::nullopt;
    }
    return value;
  }
  [[nodiscard]] bool ended() const { return text_.empty(); }

 private:
  std::string_view text_;
};

}  // namespace

MetricWatch::MetricWatch(std::shared_ptr<const Pack> pack, const MetricLimits& limits)
    : pack_{std::move(pack)} {
  for (const MetricRule& rule : pack_->program->metrics) {
    Limit limit{rule.limit, rule.back};
    if (const auto own = limits.find(rule.name); own != limits.end()) {
      limit.limit = own->second;
      // A `back` that was meant for another limit may lie beyond this one.
      const bool beyond = limit.back && !rule.is_worse(own->second, *limit.back);
      if (beyond || rule.usual) limit.back.reset();  // or for what is usual, not for a limit
    }
    limits_.push_back(limit);
  }
  series_.resize(limits_.size());
}

void MetricWatch::judge(const Record& record, Recognised& made) {
  if (!made.time) return;
  for (const MetricReading& reading : made.readings) {
    const MetricRule& rule = pack_->program->metrics.at(reading.metric);
    const auto since = over_since(reading.metric, *made.time, reading.value);
    if (!since) continue;
    SignalEvent event;
    event.signal = rule.signal;
    event.time = *made.time;
    event.time_inherited = !made.has_own_time;
    event.time_doubt = made.time_doubt;
    event.rule = rule.name;
    event.code = rule.code;
    event.opens_window = rule.opens_window;
    event.driver = rule.driver;
    event.over_since = *since;
    event.offset = record.offset;
    event.bytes = record.bytes;
    made.events.push_back(std::move(event));
  }
}

// What the sample says: nothing, or since when the metric is beyond its threshold.
std::optional<Instant> MetricWatch::over_since(std::size_t metric, Instant time, double value) {
  const MetricRule& rule = pack_->program->metrics[metric];
  Series& series = series_[metric];
  const bool follows =
      series.last && time >= *series.last - kDisorder && time <= *series.last + rule.gap;
  if (!follows) {
    series.high = false;
    series.over_since.reset();
    // A clock that was set back: what lies ahead of it is not the past.
    if (rule.usual && drop_ahead(series, time + slot_of(rule.usual->history))) {
      set_usual(rule, series);
    }
  }
  const Instant before = follows ? std::min(*series.last, time) : time;
  series.last = time;
  const bool bad = is_bad(metric, value);
  remember(rule, series, time, value);
  if (!bad) {
    series.high = false;
    series.over_since.reset();
    return std::nullopt;
  }
  if (!series.over_since) series.over_since = before;
  if (series.high) return before;
  if (time - *series.over_since < rule.lasting) return std::nullopt;
  series.high = true;
  return std::min(*series.over_since, time);
}

bool MetricWatch::is_bad(std::size_t metric, double value) const {
  const MetricRule& rule = pack_->program->metrics[metric];
  const Limit& limit = limits_[metric];
  const Series& series = series_[metric];
  const std::optional<double> threshold = limit.limit ? limit.limit : series.usual;
  if (!threshold) return false;
  if (series.high && !limit.limit) return rule.is_worse(value, *series.usual_back);
  if (series.high && limit.back) {
    // While it is high the threshold of the past may move; `back` holds in any case.
    const bool nearer = rule.is_worse(*threshold, *limit.back);
    return rule.is_worse(value, nearer ? *limit.back : *threshold);
  }
  return rule.is_worse(value, *threshold);
}

void MetricWatch::remember(const MetricRule& rule, Series& series, Instant time,
                           double value) const {
  if (!rule.usual) return;
  auto& past = series.past;
  const Duration slot = slot_of(rule.usual->history);
  if (!past.empty() && time < past.back().first + slot) return;
  past.emplace_back(time, value);
  while (past.size() > kHistorySlots || past.front().first < time - rule.usual->history) {
    past.pop_front();
  }
  set_usual(rule, series);
}

bool MetricWatch::drop_ahead(Series& series, Instant of) {
  const std::size_t before = series.past.size();
  while (!series.past.empty() && series.past.back().first > of) series.past.pop_back();
  return series.past.size() < before;
}

void MetricWatch::set_usual(const MetricRule& rule, Series& series) {
  const auto& past = series.past;
  series.usual.reset();
  series.usual_back.reset();
  if (past.size() < kHistoryValuesMin ||
      past.back().first - past.front().first < rule.usual->history_min) {
    return;
  }
  std::vector<double> values;
  values.reserve(past.size());
  for (const auto& [time, value] : past) values.push_back(value);
  const double median = median_of(values);
  for (double& value : values) value = std::abs(value - median);
  const double reach = rule.usual->deviations * kDeviationPerMad * median_of(values);
  const auto beyond = [&](double part, double least) {
    const double threshold = rule.low_is_worse ? median - part * reach : median + part * reach;
    return rule.is_worse(threshold, least) ? threshold : least;
  };
  series.usual = beyond(1, rule.usual->floor);
  // Half way is near enough to what is usual, and `back` near enough to what is harmless.
  series.usual_back = beyond(0.5, rule.back.value_or(rule.usual->floor));
}

// "metrics-1", then a line for each metric: name, last, over_since, high, and the past in pairs;
// "-" is what is not there. A metric that the pack no longer has is forgotten.
std::string MetricWatch::snapshot() const {
  std::string out{kVersion};
  const auto time = [](std::optional<Instant> at) { return at ? std::to_string(at->ms) : "-"; };
  for (std::size_t i = 0; i < series_.size(); ++i) {
    const Series& series = series_[i];
    out += "\n" + pack_->program->metrics[i].name + " " + time(series.last) + " " +
           time(series.over_since) + " " + (series.high ? "1" : "0");
    for (const auto& [at, value] : series.past) {
      out += " " + std::to_string(at.ms) + " " + text_of(value);
    }
  }
  return out;
}

Status MetricWatch::restore(std::string_view snapshot) {
  const Error corrupt{Errc::kCorrupt, "metrics: not of the form of version 1"};
  std::vector<Series> restored(series_.size());
  if (snapshot.substr(0, snapshot.find('\n')) != kVersion) return corrupt;
  snapshot.remove_prefix(std::min(kVersion.size() + 1, snapshot.size()));
  while (!snapshot.empty()) {
    const std::string_view line = snapshot.substr(0, snapshot.find('\n'));
    snapshot.remove_prefix(std::min(line.size() + 1, snapshot.size()));
    Words words{line};
    const std::string_view name = words.next();
    const auto& metrics = pack_->program->metrics;
    const auto rule = std::find_if(metrics.begin(), metrics.end(),
                                   [&](const MetricRule& m) { return m.name == name; });
    Series series;
    for (std::optional<Instant>* const at : {&series.last, &series.over_since}) {
      if (const auto ms = words.number<std::int64_t>()) *at = Instant{*ms};
    }
    series.high = words.next() == "1";
    while (!words.ended()) {
      const auto at = words.number<std::int64_t>();
      const auto value = words.number<double>();
      if (!at || !value || !std::isfinite(*value) || series.past.size() == kHistorySlots) {
        return corrupt;
      }
      series.past.emplace_back(Instant{*at}, *value);
    }
    if (rule == metrics.end()) continue;
    if (rule->usual && !series.past.empty()) set_usual(*rule, series);
    restored[static_cast<std::size_t>(rule - metrics.begin())] = std::move(series);
  }
  series_ = std::move(restored);
  return {};
}

std::vector<std::string> metric_names(const Pack& pack) {
  std::vector<std::string> out;
  for (const MetricRule& rule : pack.program->metrics) out.push_back(rule.name);
  return out;
}

}  // namespace meldevakt::agent
