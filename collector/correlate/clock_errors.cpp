#include "collector/correlate/clock_errors.h"

#include <algorithm>

namespace meldevakt::collector {
namespace {

constexpr Duration kHour = hours(1);

std::int64_t hour_of(Instant time) {
  const std::int64_t hour = time.ms / kHour.ms;
  return time.ms < 0 && time.ms % kHour.ms != 0 ? hour - 1 : hour;
}

Duration rounded_up(Duration error) {
  const std::int64_t step = ClockErrors::kStep.ms;
  return milliseconds((error.ms + step - 1) / step * step);
}

}  // namespace

ClockErrors::Change ClockErrors::add(const std::string& agent, const Interval& told,
                                     Duration error) {
  Agent& its = agents_[agent];
  Change change;
  its.largest = std::max(its.largest, error);
  largest_ = std::max(largest_, error);
  if (error <= kOrdinary || told.to - told.from > kToldMax) {
    if (error <= its.always) return change;
    change.grew = true;
    change.everywhere = rounded_up(its.always) < rounded_up(error);
    its.always = error;
    return change;
  }
  for (std::int64_t hour = hour_of(told.from); hour <= hour_of(told.to); ++hour) {
    Duration& known = its.hours[hour];
    if (error <= known) continue;
    known = error;
    change.grew = true;
    const Interval span{{hour * kHour.ms}, {(hour + 1) * kHour.ms}};
    if (!change.where) change.where = span;
    change.where->to = span.to;
  }
  return change;
}

Duration ClockErrors::of(const std::string& agent, const Interval& span) const {
  const auto at = agents_.find(agent);
  if (at == agents_.end()) return {};
  Duration out = at->second.always;
  const auto& hours = at->second.hours;
  const std::int64_t last = hour_of(span.to);
  for (auto hour = hours.lower_bound(hour_of(span.from)); hour != hours.end(); ++hour) {
    if (hour->first > last) break;
    out = std::max(out, hour->second);
  }
  return out;
}

Duration ClockErrors::widest(const std::string& agent, const Interval& span) const {
  return rounded_up(of(agent, span));
}

Duration ClockErrors::largest(const std::string& agent) const {
  const auto at = agents_.find(agent);
  return at == agents_.end() ? Duration{} : at->second.largest;
}

}  // namespace meldevakt::collector
