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
  const bool known = std::any_of(stored.begin(), stored.end(), [&](const Alarm& alarm) {
    return alarm.kind == kControlMissed && alarm.detail == missed->detail;
  });
  if (known) return {};
  MELDEVAKT_TRY(store_.add_alarm(*missed));
  out.push_back(*missed);
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
