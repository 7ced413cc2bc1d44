// Everything known of one tenant at one time, drawn anew from the ledger: what the commands that
// read, and the standing control, stand on.
// Thread-safety: as the store's. Errors: kInvalid (no such tenant, with the nearest name), kIo.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collector/app/config.h"
#include "collector/incidents/incidents.h"
#include "collector/registry/registry.h"
#include "collector/report/control_record.h"
#include "collector/report/report.h"
#include "collector/store/store.h"
#include "common/base/result.h"

namespace meldevakt::collector {

// Agents tell of what they have read once a minute; after this long nobody waits any more.
inline constexpr Duration kAnsweredWithin = minutes(15);
// So long after its time a control that has not run is an alarm.
inline constexpr Duration kControlLate = hours(1);

struct View {
  Tenant tenant;
  TenantInput input;
  Correlation correlation;
  std::vector<Incident> incidents;
  std::vector<Alarm> alarms;  // stored, then found while reading
  std::vector<AgentRecord> agents;
  Registry registry;
  std::optional<LatentFault> latent;
};

struct ViewOptions {
  Instant now;
  // A control that did not run by now is an alarm; not for a time that was merely asked about.
  const TimeZone* schedule_zone = nullptr;
};

[[nodiscard]] Result<std::vector<Tenant>> chosen_tenants(Store& store, const std::string& name);
[[nodiscard]] Result<View> view_of(Store& store, const Config& config, const Tenant& tenant,
                                   const ViewOptions& options);

// The standing control begins when the first agent enrols; nullopt: none has.
[[nodiscard]] std::optional<Instant> controlled_since(const std::vector<AgentRecord>& agents);

// The time a fleet report asks about: what is given, else from the portal's activation, or from
// where the logs begin, until kAnsweredWithin before now.
[[nodiscard]] Interval asked_of(const View& view, std::optional<Instant> from,
                                std::optional<Instant> until, Instant now);
[[nodiscard]] FleetRow fleet_row_of(const View& view, const Interval& asked);
[[nodiscard]] std::uint64_t open_incidents(const View& view);
// Something a person must look at: an open incident, an alarm, a latent fault.
[[nodiscard]] bool is_open(const View& view);

}  // namespace meldevakt::collector
