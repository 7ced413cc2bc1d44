#include "collector/app/view.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"

namespace meldevakt::collector {
namespace {

// The daily control that should have run and has not.
Result<std::optional<Alarm>> missed_control(Store& store, const Config& config,
                                            const Tenant& tenant,
                                            const std::vector<AgentRecord>& agents, Instant now,
                                            const TimeZone& zone) {
  const Instant due = scheduled_before(config.control.schedule, now - kControlLate, zone);
  const auto begun = controlled_since(agents);
  if (!begun || due < *begun) return std::optional<Alarm>{};
  MELDEVAKT_TRY_ASSIGN(const std::vector<StoredControl> newest, store.controls(tenant.id, 1));
  if (!newest.empty() && due <= newest.front().ran) return std::optional<Alarm>{};
  const std::string last =
      newest.empty() ? "none ever ran" : "the last one ran " + to_rfc3339(newest.front().ran);
  return std::optional<Alarm>{Alarm{tenant.id, "", "control_missed",
                                    "the standing control of " + to_rfc3339(due) +
                                        " has not run (" + last + "): is serve running?",
                                    due}};
}

}  // namespace

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

Result<View> view_of(Store& store, const Config& config, const Tenant& tenant,
                     const ViewOptions& options) {
  View view;
  view.tenant = tenant;
  MELDEVAKT_TRY_ASSIGN(view.alarms, store.alarms(tenant.id));
  std::vector<Alarm> found;
  MELDEVAKT_TRY_ASSIGN(view.input, store.tenant_input(tenant.id, found));
  view.alarms.insert(view.alarms.end(), found.begin(), found.end());
  view.input.policy = config.policy;
  view.correlation = correlate(view.input, options.now);
  view.incidents = group_incidents(view.correlation);
  MELDEVAKT_TRY_ASSIGN(view.agents, store.agents(tenant.id));
  MELDEVAKT_TRY_ASSIGN(const std::vector<RegistryEntry> entries, store.registry_entries(tenant.id));
  view.registry = Registry{entries};
  view.latent = latent_fault(view.correlation, view.registry.fixed_since());
  if (options.schedule_zone != nullptr) {
    MELDEVAKT_TRY_ASSIGN(
        const std::optional<Alarm> missed,
        missed_control(store, config, tenant, view.agents, options.now, *options.schedule_zone));
    if (missed) view.alarms.push_back(*missed);
  }
  return view;
}

std::optional<Instant> controlled_since(const std::vector<AgentRecord>& agents) {
  std::optional<Instant> out;
  for (const AgentRecord& agent : agents) {
    out = std::min(out.value_or(agent.enrolled), agent.enrolled);
  }
  return out;
}

Interval asked_of(const View& view, std::optional<Instant> from, std::optional<Instant> until,
                  Instant now) {
  const Instant end = until.value_or(now - kAnsweredWithin);
  std::optional<Instant> begin = from ? from : view.registry.activated();
  if (!begin) {
    for (const LedgerCoverage& claim : view.input.coverage) {
      if (!claim.source.complete || claim.source.observes.empty()) continue;
      const Instant first = claim.source.complete->from;
      begin = std::min(begin.value_or(first), first);
    }
  }
  return {std::min(begin.value_or(view.tenant.created), end), end};
}

FleetRow fleet_row_of(const View& view, const Interval& asked) {
  FleetRow row = summarise_tenant(view.correlation, view.incidents);
  row.tenant = view.tenant.id;
  row.name = view.tenant.name;
  row.agents = view.agents.size();
  for (const AgentRecord& agent : view.agents) {
    row.last_statement = std::max(row.last_statement, agent.last_received);
  }
  row.open_incidents = open_incidents(view);
  row.alarms = view.alarms.size();
  row.asked = asked;
  row.answer = answer_of(view.input, view.correlation, asked);
  row.latent = view.latent;
  row.municipalities = view.registry.municipalities_at(asked.to);
  // Of whom no number is known, it is one municipality, under its own name.
  if (row.municipalities.empty()) row.municipalities = {view.tenant.id};
  row.product = view.registry.value(EntryKind::kProduct, asked.to);
  row.patch = view.registry.value(EntryKind::kPatch, asked.to);
  row.activated = view.registry.activated();
  return row;
}

std::uint64_t open_incidents(const View& view) {
  return static_cast<std::uint64_t>(
      std::count_if(view.incidents.begin(), view.incidents.end(),
                    [](const Incident& incident) { return incident.open; }));
}

bool is_open(const View& view) {
  return open_incidents(view) > 0 || !view.alarms.empty() || (view.latent && view.latent->present);
}

}  // namespace meldevakt::collector
