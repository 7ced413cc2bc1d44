// Everything known of one tenant at one time, drawn anew from the ledger: what the commands that
// read, and the standing control, stand on.
// Thread-safety: as the store's. Errors: kInvalid (no such tenant, with the nearest name), kIo.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collector/app/config.h"
#include "collector/incidents/incidents.h"
#include "collector/incidents/ledger_entry.h"
#include "collector/incidents/signatures.h"
#include "collector/registry/registry.h"
#include "collector/report/beside.h"
#include "collector/report/control_record.h"
#include "collector/report/report.h"
#include "collector/store/store.h"
#include "common/base/result.h"

namespace meldevakt::collector {

// Agents tell of what they have read once a minute; after this long nobody waits any more.
inline constexpr Duration kAnsweredWithin = minutes(15);

struct View {
  Tenant tenant;
  TenantInput input;
  Correlation correlation;          // with what people told
  std::vector<Incident> incidents;  // with what people decided
  std::vector<Alarm> alarms;        // open ones that are stored, then found while reading
  std::vector<ToldEntry> told;
  EntriesOfPeople people;
  std::vector<Reconciliation> counts;  // of stored messages, against the receipts
  std::vector<RelaxedMatch> relaxed;
  std::vector<Overload> overloads;
  std::vector<ReceiptConflict> conflicts;
  std::vector<AgentRecord> agents;
  Registry registry;
  std::optional<LatentFault> latent;
};

struct ViewOptions {
  Instant now;
  // A control that did not run by now is an alarm; not for a time that was merely asked about.
  const TimeZone* schedule_zone = nullptr;
};

// The one of that name or id, or that the register calls so at `at`, by a name or the number of a
// municipality it serves (nullopt: ever called so, for who only reads); "": all. kInvalid: none, or
// several that are called so.
[[nodiscard]] Result<std::vector<Tenant>> chosen_tenants(Store& store, const std::string& name,
                                                         std::optional<Instant> at = {});
[[nodiscard]] Result<std::vector<Tenant>> tenants_registered_as(Store& store,
                                                                const std::string& name,
                                                                std::optional<Instant> at);
// What the register says was not in use, and when a portal was, as correlate() wants it.
[[nodiscard]] std::vector<UnusedSource> unused_sources(const Registry& registry);
[[nodiscard]] std::vector<PortalUse> portal_uses(const Registry& registry);
// As the register calls it at that time, where it does.
[[nodiscard]] Tenant as_registered(Tenant tenant, const Registry& registry, Instant at);
[[nodiscard]] Result<View> view_of(Store& store, const Config& config, const Tenant& tenant,
                                   const ViewOptions& options);

// The time a fleet report asks about: what is given, else from the portal's activation, or from
// where the logs begin, until kAnsweredWithin before now, or where receipts are known until.
[[nodiscard]] Interval asked_of(const View& view, std::optional<Instant> from,
                                std::optional<Instant> until, Instant now);
// What reports tell beside its messages and incidents. Refers to the view.
[[nodiscard]] Beside beside_of(const View& view);
// The most urgent of its open incidents, and of the 72 hours that run for any.
[[nodiscard]] std::optional<ClockLevel> level_of(const View& view);
// For systemic_incidents(): its product as of the end of `asked`, and of when it saw each cause.
[[nodiscard]] TenantStanding standing_of(const View& view, const Interval& asked);
[[nodiscard]] FleetRow fleet_row_of(const View& view, const Interval& asked);
[[nodiscard]] std::uint64_t open_incidents(const View& view);
// Something a person must look at: an open incident, an alarm, a latent fault.
[[nodiscard]] bool is_open(const View& view);

}  // namespace meldevakt::collector
