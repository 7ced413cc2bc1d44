#include "collector/app/inspect.h"

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "collector/app/command_basics.h"
#include "collector/app/view.h"
#include "collector/incidents/incidents.h"
#include "collector/report/report.h"
#include "collector/report/systemic.h"
#include "collector/report/table.h"
#include "common/platform/time_zones.h"

namespace meldevakt::collector {
namespace {

using Json = nlohmann::ordered_json;

// One tenant's view at a time: a country's ledgers do not fit side by side.
Status each_view(const Config& config, const InspectOptions& options,
                 const std::function<void(View&)>& use) {
  MELDEVAKT_TRY_ASSIGN(const std::unique_ptr<SqliteStore> store, open_to_read(config));
  MELDEVAKT_TRY_ASSIGN(const std::vector<Tenant> tenants, chosen_tenants(*store, options.tenant));
  SystemTimeZones zones;
  MELDEVAKT_TRY_ASSIGN(const std::shared_ptr<const TimeZone> zone, zones.find(config.control.zone));
  const ViewOptions how{options.now, options.what_if ? nullptr : zone.get()};
  for (const Tenant& tenant : tenants) {
    MELDEVAKT_TRY_ASSIGN(View view, view_of(*store, config, tenant, how));
    use(view);
  }
  return {};
}

struct Views {
  std::vector<View> all;
  std::vector<SystemicIncident> systemic;
  std::map<std::string, std::string> names;  // of tenants by id
};

// All of them, without what they were concluded from. One tenant that was asked about sees itself
// only: the same fault elsewhere is then nothing to be told of.
Result<Views> all_views(const Config& config, const InspectOptions& options) {
  Views out;
  std::vector<TenantStanding> standings;
  MELDEVAKT_TRY(each_view(config, options, [&](View& view) {
    if (options.tenant.empty()) {
      standings.push_back(
          standing_of(view, asked_of(view, options.from, options.until, options.now)));
    }
    out.names[view.tenant.id] = view.tenant.name;
    view.input = {};
    out.all.push_back(std::move(view));
  }));
  out.systemic = systemic_incidents(standings);
  return out;
}

bool is_open(const std::vector<View>& all) {
  return std::any_of(all.begin(), all.end(), [](const View& view) { return is_open(view); });
}

std::vector<ReportedIncident> all_incidents(const std::vector<View>& all) {
  std::vector<ReportedIncident> incidents;
  for (const View& view : all) {
    const Beside beside = beside_of(view);
    for (const Incident& incident : view.incidents) {
      incidents.push_back({incident, beside.of(incident)});
    }
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
      text += "ALARM " + to_rfc3339(alarm.time) + " " + printable(view.tenant.name) +
              (alarm.agent.empty() ? "" : " agent " + alarm.agent) + ": " + alarm.kind + ": " +
              printable(alarm.detail) + "\n";
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

Json systemic_list(const std::vector<SystemicIncident>& systemic) {
  Json out = Json::array();
  for (const SystemicIncident& one : systemic) {
    out.push_back(Json::parse(systemic_json(one), nullptr, false));
  }
  return out;
}

std::string systemic_lines(const Views& views, const TimeZone& zone) {
  std::string out;
  for (const SystemicIncident& one : views.systemic) out += systemic_text(one, views.names, zone);
  return out;
}

Json counts_json(const std::vector<View>& all) {
  Json out = Json::array();
  for (const View& view : all) {
    for (const Reconciliation& count : view.counts) {
      out.push_back({{"tenant", view.tenant.id},
                     {"entry", count.entry},
                     {"from", to_rfc3339(count.told.span.from)},
                     {"until", to_rfc3339(count.told.span.to)},
                     {"form", count.told.form ? to_string(*count.told.form) : ""},
                     {"counted", count.told.count},
                     {"expected", count.expected},
                     {"state", to_string(count.state)}});
    }
  }
  return out;
}

std::string counts_text(const std::vector<View>& all, const TimeZone& zone) {
  std::string out;
  for (const View& view : all) {
    for (const Reconciliation& count : view.counts) {
      if (count.state == Reconciliation::State::kAgrees) continue;
      out += "COUNT " + printable(view.tenant.name) + " " + local_time(count.told.span.from, zone) +
             " - " + local_time(count.told.span.to, zone) + ": " +
             std::to_string(count.told.count) + " stored, " + std::to_string(count.expected) +
             " expected (" + std::string{to_string(count.state)} + ", entry " +
             std::to_string(count.entry) + ")\n";
    }
  }
  return out;
}

std::uint64_t conflicts_of(const std::vector<View>& all) {
  std::uint64_t out = 0;
  for (const View& view : all) out += view.conflicts.size();
  return out;
}

std::string conflicts_text(const std::vector<View>& all) {
  const std::uint64_t count = conflicts_of(all);
  if (count == 0) return "";
  return "CONTRADICTION: of " + std::to_string(count) +
         " message(s) the portal's rows say two things; 'messages list' names them.\n";
}

// Whom to call where something is open: of the register, as of now.
Json contacts_json(const std::vector<View>& all, Instant now) {
  Json out = Json::array();
  for (const View& view : all) {
    if (open_incidents(view) == 0) continue;
    for (const RegistryEntry& entry : view.registry.of(EntryKind::kContact, now)) {
      out.push_back({{"tenant", view.tenant.id}, {"role", entry.value}, {"who", entry.label}});
    }
  }
  return out;
}

std::string contacts_text(const std::vector<View>& all, Instant now) {
  std::string out;
  for (const View& view : all) {
    if (open_incidents(view) == 0) continue;
    for (const RegistryEntry& entry : view.registry.of(EntryKind::kContact, now)) {
      out += "CONTACT " + printable(view.tenant.name) + ": " + printable(entry.value) + " " +
             printable(entry.label) + "\n";
    }
  }
  return out;
}

// What is said of tenants as a whole, below their incidents.
std::string said_of_all(const Views& views, const TimeZone& zone) {
  return latent_faults_text(views.all, zone) + systemic_lines(views, zone) +
         counts_text(views.all, zone) + conflicts_text(views.all) + alarms_text(views.all);
}

// Of these there is nothing that could be compared: neither anything an agent read nor a row of the
// portal's.
std::vector<std::string> uncontrolled(const std::vector<View>& all, std::string Tenant::*named) {
  std::vector<std::string> out;
  for (const View& view : all) {
    const bool told = std::any_of(view.agents.begin(), view.agents.end(),
                                  [](const AgentRecord& agent) { return agent.last_received; });
    if (!told && view.correlation.messages.empty()) out.push_back(view.tenant.*named);
  }
  return out;
}

// Silence is no answer: "clear" only where all could be looked at.
std::string_view control_state(const Views& views, bool open) {
  if (open) return "open";
  const std::size_t unknown = uncontrolled(views.all, &Tenant::id).size();
  if (unknown == views.all.size()) return "nothing_controlled";
  return unknown == 0 ? "clear" : "partly_controlled";
}

std::string control_json(const Views& views, bool open, Instant now) {
  Json incidents = Json::array();
  std::uint64_t count = 0;
  for (const ReportedIncident& one : all_incidents(views.all)) {
    if (!one.incident.open) continue;
    ++count;
    incidents.push_back(Json::parse(incident_json(one.incident, one.beside), nullptr, false));
  }
  return dump({{"state", control_state(views, open)},
               {"uncontrolled", uncontrolled(views.all, &Tenant::id)},
               {"now", now.ms},
               {"tenants", views.all.size()},
               {"open_incidents", count},
               {"incidents", std::move(incidents)},
               {"alarms", alarms_json(views.all)},
               {"latent_faults", latent_faults_json(views.all)},
               {"systemic", systemic_list(views.systemic)},
               {"counts", counts_json(views.all)},
               {"contradictions", conflicts_of(views.all)}}) +
         "\n";
}

std::string control_text(const Views& views, const TimeZone& zone) {
  std::vector<ReportedIncident> open = all_incidents(views.all);
  std::erase_if(open, [](const ReportedIncident& one) { return !one.incident.open; });
  const std::string said = said_of_all(views, zone);
  const std::vector<std::string> unknown = uncontrolled(views.all, &Tenant::name);
  const std::size_t looked_at = views.all.size() - unknown.size();
  std::string out = (open.empty() ? std::string{} : incidents_text(open, zone)) + said;
  if (out.empty()) {
    out = looked_at == 0
              ? "Nothing was controlled.\n"
              : "Nothing is open. " + std::to_string(looked_at) + " tenant(s) looked at.\n";
  }
  for (const std::string& name : unknown) {
    out += "Of " + printable(name) + " nothing is known: no agent told anything, no receipt.\n";
  }
  return out;
}

void add_list(std::string& text, const char* name, const Json& list) {
  if (!list.empty()) text += dump({{name, list}}) + "\n";
}

}  // namespace

Result<Inspected> list_incidents(const Config& config, const TimeZone& zone,
                                 const InspectOptions& options) {
  MELDEVAKT_TRY_ASSIGN(const Views views, all_views(config, options));
  Inspected result{"", is_open(views.all)};
  const std::vector<ReportedIncident> incidents = all_incidents(views.all);
  if (!options.json) {
    result.text = incidents_text(incidents, zone) + said_of_all(views, zone) +
                  contacts_text(views.all, options.now);
    return result;
  }
  for (const ReportedIncident& one : incidents) {
    result.text += incident_json(one.incident, one.beside) + "\n";
  }
  add_list(result.text, "alarms", alarms_json(views.all));
  add_list(result.text, "latent_faults", latent_faults_json(views.all));
  add_list(result.text, "systemic", systemic_list(views.systemic));
  add_list(result.text, "counts", counts_json(views.all));
  add_list(result.text, "contacts", contacts_json(views.all, options.now));
  return result;
}

Result<Inspected> list_messages(const Config& config, const TimeZone& zone,
                                const InspectOptions& options) {
  Inspected result;
  std::vector<ReportedMessage> shown;
  std::vector<View> kept;  // what `shown` refers to
  MELDEVAKT_TRY(each_view(config, options, [&](View& view) {
    result.open = result.open || is_open(view);
    view.input = {};
    kept.push_back(std::move(view));
  }));
  for (const View& view : kept) {
    const Beside beside = beside_of(view);
    for (const MessageVerdict& message : view.correlation.messages) {
      if (options.verdict && message.verdict != *options.verdict) continue;
      if (options.json) {
        result.text += message_json(message, view.tenant.id, beside.of(message)) + "\n";
      } else {
        shown.push_back({message, beside.of(message)});
      }
    }
  }
  if (!options.json) result.text = messages_text(shown, zone);
  return result;
}

Result<Inspected> report_fleet(const Config& config, const TimeZone& zone,
                               const InspectOptions& options) {
  Inspected result;
  std::vector<FleetRow> rows;
  std::vector<TenantStanding> standings;
  Views views;
  MELDEVAKT_TRY(each_view(config, options, [&](View& view) {
    result.open = result.open || is_open(view);
    const Interval asked = asked_of(view, options.from, options.until, options.now);
    rows.push_back(fleet_row_of(view, asked));
    standings.push_back(standing_of(view, asked));
    views.names[view.tenant.id] = view.tenant.name;
  }));
  follow_mergers(rows);
  views.systemic = systemic_incidents(standings);
  if (!options.json) {
    const std::string systemic = systemic_lines(views, zone);
    result.text = fleet_table(rows, zone) + (systemic.empty() ? "" : "\n" + systemic);
    return result;
  }
  for (const FleetRow& row : rows) result.text += fleet_row_json(row) + "\n";
  for (const SystemicIncident& one : views.systemic) {
    result.text += R"({"systemic":)" + systemic_json(one) + "}\n";
  }
  result.text += fleet_totals_json(rows) + "\n";  // the last line, always
  return result;
}

Result<Inspected> run_control(const Config& config, const TimeZone& zone,
                              const InspectOptions& options) {
  MELDEVAKT_TRY_ASSIGN(const Views views, all_views(config, options));
  Inspected result{"", is_open(views.all)};
  result.nothing_known = control_state(views, result.open) == "nothing_controlled";
  result.text =
      options.json ? control_json(views, result.open, options.now) : control_text(views, zone);
  return result;
}

}  // namespace meldevakt::collector
