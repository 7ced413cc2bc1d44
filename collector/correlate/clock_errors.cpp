#include "collector/correlate/clock_errors.h"

#include <algorithm>
#include <set>

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

void ClockErrors::Agent::add(const Interval& span, Duration error, Change& change) {
  std::optional<Interval> where;
  for (std::int64_t hour = hour_of(span.from); hour <= hour_of(span.to); ++hour) {
    Duration& known = hours[hour];
    if (error <= known) continue;
    known = error;
    const Interval its{{hour * kHour.ms}, {(hour + 1) * kHour.ms}};
    if (!where) where = its;
    where->to = its.to;
  }
  if (!where) return;
  change.where.push_back(*where);
}

ClockErrors::Change ClockErrors::add(const std::string& agent, const Interval& told,
                                     Duration error) {
  Agent& its = agents_[agent];
  Change change;
  its.largest = std::max(its.largest, error);
  if (error > kOrdinary) {
    if (told.to - told.from <= kToldMax) {
      its.add(told, error, change);
    } else {
      its.add({told.from, told.from + days(1)}, error, change);
      its.add({told.to - days(1), told.to}, error, change);
    }
    return change;
  }
  if (error <= its.always) return change;
  change.grew = true;
  change.everywhere = rounded_up(its.always) < rounded_up(error);
  its.always = error;
  ordinary_ = std::max(ordinary_, error);
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

Duration ClockErrors::widest_of_any(const Interval& span) const {
  Duration out;
  for (const auto& [agent, its] : agents_) out = std::max(out, widest(agent, span));
  return out;
}

std::vector<Interval> ClockErrors::large() const {
  std::set<std::int64_t> hours;
  for (const auto& [agent, its] : agents_) {
    for (const auto& [hour, error] : its.hours) hours.insert(hour);
  }
  std::vector<Interval> out;
  for (const std::int64_t hour : hours) {
    const Interval its{{hour * kHour.ms}, {(hour + 1) * kHour.ms}};
    if (!out.empty() && out.back().to == its.from) {
      out.back().to = its.to;
    } else {
      out.push_back(its);
    }
  }
  return out;
}

Duration ClockErrors::largest(const std::string& agent) const {
  const auto at = agents_.find(agent);
  return at == agents_.end() ? Duration{} : at->second.largest;
}

}  // namespace meldevakt::collector
