// Runs the standing control and keeps its signed record. Belongs to the process that writes.
//
//   StandingControl control{store, config, clock, signer, zone, version};
//   for (const Tenant& t : control.due().tenants) control.run(t, {}, false);  // once a minute
//   control.run(tenant, period, true);                                         // a person asked
//
// The record is numbered, names the record before it by its link, and is stored before anything is
// said. The signing key is the collector's own (data/control.key, Ed25519, made when first needed).
// Thread-safety: the store's strand. Errors: of the store and the key.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collector/app/config.h"
#include "collector/report/control_record.h"
#include "collector/store/store.h"
#include "common/ports/clock.h"
#include "common/ports/signer.h"
#include "common/ports/time_zone.h"

namespace meldevakt::collector {

class StandingControl {
 public:
  struct Parts {
    Store& store;
    const Config& config;
    Clock& clock;
    std::unique_ptr<Signer> signer;
    std::shared_ptr<const TimeZone> zone;
    std::string software_version;
  };
  explicit StandingControl(Parts parts) : parts_{std::move(parts)} {}

  // Tenants whose daily control is due now: its time has come, and none ran since. `done`: the
  // first error; a tenant that cannot be looked at costs no other its control.
  struct Due {
    std::vector<Tenant> tenants;
    Status done;
  };
  [[nodiscard]] Due due();
  [[nodiscard]] Result<bool> is_due(const Tenant& tenant);
  // kNotFound: neither an agent nor a receipt is known. `period`: receipts in it; nullopt: the last
  // [control] days, until what agents can have told.
  [[nodiscard]] Result<ControlRecord> run(const Tenant& tenant, std::optional<Interval> period,
                                          bool on_demand);

  [[nodiscard]] const TimeZone& zone() const { return *parts_.zone; }

 private:
  Parts parts_;
};

// The newest control that the clock ran, however many people have asked for since: what a person
// asked of some period stands in for no daily one. One that ran at a time still to come (the clock
// was ahead) is none.
[[nodiscard]] Result<std::optional<StoredControl>> newest_daily(Store& store,
                                                                const std::string& tenant,
                                                                Instant now);

// A control that has not run so long after its time is an alarm (kControlMissed).
inline constexpr Duration kControlLate = hours(1);
inline constexpr std::string_view kControlMissed = "control_missed";

// The standing control begins with what there is to compare: when the first agent enrols; without
// one, when the portal's first row is imported. nullopt: there is neither.
[[nodiscard]] Result<std::optional<Instant>> controlled_since(
    Store& store, const std::string& tenant, const std::vector<AgentRecord>& agents);

// The alarm that the newest daily control which should have run by now has not; nullopt: it has.
// Its detail names when it should have and when the last one did: the same miss, the same words.
[[nodiscard]] Result<std::optional<Alarm>> missed_control(Store& store,
                                                          const ControlSchedule& schedule,
                                                          const std::string& tenant, Instant now,
                                                          const TimeZone& zone);

// With the system's zones and this program's version.
[[nodiscard]] Result<std::unique_ptr<StandingControl>> make_standing_control(Store& store,
                                                                             const Config& config,
                                                                             Clock& clock);

// The records kept of a tenant, the newest first, each with whether signature, number and link are
// right. `whole`: they are all that is kept, so the last of them must be number 0. `public_key`: 32
// raw bytes. That the newest is gone only the log tells (`audit`).
struct CheckedControl {
  ControlRecord record;
  std::string problem;  // "" when it verifies
};
[[nodiscard]] std::vector<CheckedControl> check_controls(const std::vector<StoredControl>& stored,
                                                         bool whole, std::string_view public_key,
                                                         const Verifier& verifier);

}  // namespace meldevakt::collector
