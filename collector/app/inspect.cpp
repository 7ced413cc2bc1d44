#include "collector/app/inspect.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "collector/app/view.h"
#include "collector/incidents/incidents.h"
#include "collector/report/report.h"
#include "collector/store/sqlite_store.h"
#include "common/platform/time_zones.h"

namespace meldevakt::collector {
namespace {

using Json = nlohmann::ordered_json;

// One tenant's view at a time: a country's ledgers do not fit side by side.
Status each_view(const Config& config, const InspectOptions& options,
                 const std::function<void(View&)>& use) {
  auto store = SqliteStore::open({config.in_data("collector.db"), "", true});
  if (!store) {
    return std::move(store).error().in("nothing to read yet? run 'meldevakt-collector init'");
  }
  MELDEVAKT_TRY_ASSIGN(const std::vector<Tenant> tenants,
                       chosen_tenants(*store.value(), options.tenant));
  SystemTimeZones zones;
  MELDEVAKT_TRY_ASSIGN(const std::shared_ptr<const TimeZone> zone, zones.find(config.control.zone));
  const ViewOptions how{options.now, options.what_if ? nullptr : zone.get()};
  for (const Tenant& tenant : tenants) {
    MELDEVAKT_TRY_ASSIGN(View view, view_of(*store.value(), config, tenant, how));
    use(view);
  }
  return {};
}

// All of them, without what they were concluded from.
Result<std::vector<View>> views(const Config& config, const InspectOptions& options) {
  std::vector<View> all;
  MELDEVAKT_TRY(each_view(config, options, [&](View& view) {
    view.input = {};
    all.push_back(std::move(view));
  }));
  return all;
}

bool is_open(const std::vector<View>& all) {
  return std::any_of(all.begin(), all.end(), [](const View& view) { return is_open(view); });
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

std::vector<std::string> latent_faults(const std::vector<View>& all) {
  std::vector<std::string> out;
  for (const View& view : all) {
    if (view.latent && view.latent->present) {
      out.push_back(latent_fault_json(*view.latent, view.tenant.id));
    }
  }
  return out;
}

Json latent_faults_json(const std::vector<View>& all) {
  Json out = Json::array();
  for (const std::string& fault : latent_faults(all)) {
    out.push_back(Json::parse(fault, nullptr, false));
  }
  return out;
}

std::string latent_faults_text(const std::vector<View>& all, const TimeZone& zone) {
  std::string out;
  for (const View& view : all) {
    if (view.latent && view.latent->present) {
      out += latent_fault_text(*view.latent, view.tenant.name, zone);
    }
  }
  return out;
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
               {"alarms", alarms_json(all)},
               {"latent_faults", latent_faults_json(all)}}) +
         "\n";
}

std::string control_text(const std::vector<View>& all, const TimeZone& zone) {
  std::vector<Incident> open = all_incidents(all);
  std::erase_if(open, [](const Incident& incident) { return !incident.open; });
  const std::string alarms = latent_faults_text(all, zone) + alarms_text(all);
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
    result.text = incidents_table(all_incidents(all), zone) + latent_faults_text(all, zone) +
                  alarms_text(all);
    return result;
  }
  for (const Incident& incident : all_incidents(all)) result.text += incident_json(incident) + "\n";
  const Json alarms = alarms_json(all);
  if (!alarms.empty()) result.text += dump({{"alarms", alarms}}) + "\n";
  const Json latent = latent_faults_json(all);
  if (!latent.empty()) result.text += dump({{"latent_faults", latent}}) + "\n";
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
  Inspected result;
  std::vector<FleetRow> rows;
  MELDEVAKT_TRY(each_view(config, options, [&](View& view) {
    result.open = result.open || is_open(view);
    rows.push_back(fleet_row_of(view, asked_of(view, options.from, options.until, options.now)));
    if (options.json) result.text += fleet_row_json(rows.back()) + "\n";
  }));
  result.text += options.json ? fleet_totals_json(rows) + "\n" : fleet_table(rows, zone);
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
