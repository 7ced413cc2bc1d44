#include "collector/app/inspect.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "collector/incidents/incidents.h"
#include "collector/report/report.h"
#include "collector/store/sqlite_store.h"
#include "common/base/text.h"

namespace meldevakt::collector {
namespace {

using Json = nlohmann::ordered_json;

// Everything known of one tenant at one time.
struct View {
  Tenant tenant;
  Correlation correlation;
  std::vector<Incident> incidents;
  std::vector<Alarm> alarms;  // stored, then found while reading
  std::vector<AgentRecord> agents;
};

Result<std::vector<Tenant>> chosen_tenants(Store& store, const std::string& name) {
  MELDEVAKT_TRY_ASSIGN(std::vector<Tenant> tenants, store.tenants());
  if (name.empty()) return tenants;
  std::vector<std::string> names;
  for (const Tenant& tenant : tenants) {
    if (tenant.name == name || tenant.id == name) return std::vector<Tenant>{tenant};
    names.push_back(tenant.name);
  }
  const auto nearest = nearest_name(name, names);
  return Error{Errc::kInvalid, "no tenant is named '" + meldevakt::quoted(name) + "'" +
                                   (nearest ? "; did you mean '" + *nearest + "'?" : "")};
}

Result<View> view_of(Store& store, const Tenant& tenant, const Policy& policy, Instant now) {
  View view;
  view.tenant = tenant;
  MELDEVAKT_TRY_ASSIGN(view.alarms, store.alarms(tenant.id));
  std::vector<Alarm> found;
  MELDEVAKT_TRY_ASSIGN(TenantInput input, store.tenant_input(tenant.id, found));
  view.alarms.insert(view.alarms.end(), found.begin(), found.end());
  input.policy = policy;
  view.correlation = correlate(input, now);
  view.incidents = group_incidents(view.correlation);
  MELDEVAKT_TRY_ASSIGN(view.agents, store.agents(tenant.id));
  return view;
}

Result<std::vector<View>> views(const Config& config, const InspectOptions& options) {
  auto store = SqliteStore::open({config.in_data("collector.db"), "", true});
  if (!store) {
    return std::move(store).error().in("nothing to read yet? run 'meldevakt-collector init'");
  }
  MELDEVAKT_TRY_ASSIGN(const std::vector<Tenant> tenants,
                       chosen_tenants(*store.value(), options.tenant));
  std::vector<View> all;
  for (const Tenant& tenant : tenants) {
    MELDEVAKT_TRY_ASSIGN(View view, view_of(*store.value(), tenant, config.policy, options.now));
    all.push_back(std::move(view));
  }
  return all;
}

std::uint64_t open_incidents(const View& view) {
  return static_cast<std::uint64_t>(
      std::count_if(view.incidents.begin(), view.incidents.end(),
                    [](const Incident& incident) { return incident.open; }));
}

bool is_open(const std::vector<View>& all) {
  return std::any_of(all.begin(), all.end(), [](const View& view) {
    return open_incidents(view) > 0 || !view.alarms.empty();
  });
}

std::vector<Incident> all_incidents(const std::vector<View>& all) {
  std::vector<Incident> incidents;
  for (const View& view : all) {
    incidents.insert(incidents.end(), view.incidents.begin(), view.incidents.end());
  }
  return incidents;
}

Json alarms_json(const std::vector<View>& all) {
  Json alarms = Json::array();
  for (const View& view : all) {
    for (const Alarm& alarm : view.alarms) {
      alarms.push_back({{"tenant", alarm.tenant},
                        {"agent", alarm.agent},
                        {"kind", alarm.kind},
                        {"detail", alarm.detail},
                        {"time", alarm.time.ms}});
    }
  }
  return alarms;
}

std::string alarms_text(const std::vector<View>& all) {
  std::string text;
  for (const View& view : all) {
    for (const Alarm& alarm : view.alarms) {
      text += "ALARM " + to_rfc3339(alarm.time) + " " + view.tenant.name + " agent " + alarm.agent +
              ": " + alarm.kind + ": " + alarm.detail + "\n";
    }
  }
  return text;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

FleetRow fleet_row_of(const View& view) {
  FleetRow row = summarise_tenant(view.correlation, view.incidents);
  row.tenant = view.tenant.id;
  row.name = view.tenant.name;
  row.agents = view.agents.size();
  for (const AgentRecord& agent : view.agents) {
    row.last_statement = std::max(row.last_statement, agent.last_received);
  }
  row.open_incidents = open_incidents(view);
  row.alarms = view.alarms.size();
  return row;
}

std::string control_json(const std::vector<View>& all, bool open, Instant now) {
  Json incidents = Json::array();
  std::uint64_t count = 0;
  for (const View& view : all) {
    count += open_incidents(view);
    for (const Incident& incident : view.incidents) {
      if (incident.open) incidents.push_back(Json::parse(incident_json(incident), nullptr, false));
    }
  }
  return dump({{"state", open ? "open" : "clear"},
               {"now", now.ms},
               {"tenants", all.size()},
               {"open_incidents", count},
               {"incidents", std::move(incidents)},
               {"alarms", alarms_json(all)}}) +
         "\n";
}

std::string control_text(const std::vector<View>& all, const TimeZone& zone) {
  std::vector<Incident> open = all_incidents(all);
  std::erase_if(open, [](const Incident& incident) { return !incident.open; });
  const std::string alarms = alarms_text(all);
  if (open.empty() && alarms.empty()) {
    return "Nothing is open. " + std::to_string(all.size()) + " tenant(s) looked at.\n";
  }
  return (open.empty() ? std::string{} : incidents_table(open, zone)) + alarms;
}

}  // namespace

Result<Inspected> list_incidents(const Config& config, const TimeZone& zone,
                                 const InspectOptions& options) {
  MELDEVAKT_TRY_ASSIGN(const std::vector<View> all, views(config, options));
  Inspected result{"", is_open(all)};
  if (!options.json) {
    result.text = incidents_table(all_incidents(all), zone) + alarms_text(all);
    return result;
  }
  for (const Incident& incident : all_incidents(all)) result.text += incident_json(incident) + "\n";
  const Json alarms = alarms_json(all);
  if (!alarms.empty()) result.text += dump({{"alarms", alarms}}) + "\n";
  return result;
}

Result<Inspected> list_messages(const Config& config, const TimeZone& zone,
                                const InspectOptions& options) {
  MELDEVAKT_TRY_ASSIGN(const std::vector<View> all, views(config, options));
  Inspected result{"", is_open(all)};
  std::vector<MessageVerdict> shown;
  for (const View& view : all) {
    for (const MessageVerdict& message : view.correlation.messages) {
      if (options.verdict && message.verdict != *options.verdict) continue;
      if (options.json) result.text += message_json(message, view.tenant.id) + "\n";
      shown.push_back(message);
    }
  }
  if (!options.json) result.text = messages_table(shown, zone);
  return result;
}

Result<Inspected> report_fleet(const Config& config, const TimeZone& zone,
                               const InspectOptions& options) {
  MELDEVAKT_TRY_ASSIGN(const std::vector<View> all, views(config, options));
  Inspected result{"", is_open(all)};
  std::vector<FleetRow> rows;
  for (const View& view : all) {
    rows.push_back(fleet_row_of(view));
    if (options.json) result.text += fleet_row_json(rows.back()) + "\n";
  }
  if (!options.json) result.text = fleet_table(rows, zone);
  return result;
}

Result<Inspected> run_control(const Config& config, const TimeZone& zone,
                              const InspectOptions& options) {
  MELDEVAKT_TRY_ASSIGN(const std::vector<View> all, views(config, options));
  Inspected result{"", is_open(all)};
  result.text =
      options.json ? control_json(all, result.open, options.now) : control_text(all, zone);
  return result;
}

}  // namespace meldevakt::collector
