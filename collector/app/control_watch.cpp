#include "collector/app/control_watch.h"

#include <algorithm>
#include <utility>

namespace meldevakt::collector {

Status ControlWatch::look_at(const std::string& tenant, Instant now, std::vector<Alarm>& out) {
  MELDEVAKT_TRY_ASSIGN(const std::optional<Alarm> missed,
                       missed_control(store_, schedule_, tenant, now, zone_));
  MELDEVAKT_TRY_ASSIGN(const std::vector<Alarm> stored, store_.alarms(tenant));
  const auto is_open = [](const Alarm& alarm) {
    return alarm.kind == kControlMissed && !alarm.closed;
  };
  if (!missed) {
    if (std::none_of(stored.begin(), stored.end(), is_open)) return {};
    return store_.close_alarms(tenant, "", kControlMissed, now);
  }
  const auto tells_it = [&](const Alarm& alarm) {
    return alarm.kind == kControlMissed && alarm.detail.find(missed->detail) == 0;
  };
  const bool known = std::any_of(stored.begin(), stored.end(), [&](const Alarm& alarm) {
    return tells_it(alarm) && is_open(alarm);
  });
  if (known) return {};
  // The same miss once more, after the clock or the schedule was changed and changed back.
  Alarm alarm = found_again(*missed, stored, now);
  MELDEVAKT_TRY(store_.add_alarm(alarm));
  out.push_back(std::move(alarm));
  return {};
}

// One tenant that cannot be looked at costs no other its alarm.
Status ControlWatch::look_at_all(Instant now, std::vector<Alarm>& out) {
  MELDEVAKT_TRY_ASSIGN(const std::vector<Tenant> tenants, store_.tenants());
  Status first;
  for (const Tenant& tenant : tenants) {
    Status done = look_at(tenant.id, now, out);
    if (!done && first) first = std::move(done);
  }
  return first;
}

ControlWatch::Looked ControlWatch::look(Instant now) {
  Looked out;
  out.done = look_at_all(now, out.missed);
  return out;
}

}  // namespace meldevakt::collector
