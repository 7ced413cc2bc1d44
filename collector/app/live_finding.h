// What a person must hear of while the collector runs, and when.
//
//   lost, missing, in_doubt, undelivered, fallback_stalled   at once
//   unverifiable    at once when a newer list of the portal would tell (causes row_too_old and
//                   posting_unknown); else when its purge is urgent (deadlines/clocks.h); not when
//                   the portal has no purge or has purged already: nothing could be saved by
//                   hurrying
//   latent fault    when it is first present, of the tenant
//   systemic        when a cause is seen in a second tenant, and in each further one
//
// and, of what was told, when its verdict is another one: also that it is stored after all.
//
// A finding carries no text of a log or message and names no person: ids, times, enums, codes and
// sentences of our own. Pure. Thread-safety: pure functions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "collector/correlate/correlate.h"
#include "collector/incidents/signatures.h"
#include "collector/report/latent_fault.h"

namespace meldevakt::collector {

// What was last told of a message, a systemic incident, or (message "") of a tenant's latent fault.
struct Told {
  // A verdict's word, kStateLatentFault, kStateSystemic..., kStateWithdrawn, kStateOver.
  std::string state;
  bool needs_action = false;
  auto operator<=>(const Told&) const = default;
};
inline constexpr std::string_view kStateLatentFault = "latent_fault";
inline constexpr std::string_view kStateOver = "over";  // the latent fault is, or what was systemic
// "systemic_in_3/5f0c9a41": in how many tenants it was seen, and a digest of which.
inline constexpr std::string_view kStateSystemic = "systemic_in_";
inline constexpr std::string_view kStateWithdrawn =
    "withdrawn";  // its name is another message's now

struct LiveFinding {
  std::string tenant;
  std::string message;  // "": the latent fault; of a systemic incident its id, its tenant being ""
  Told told;            // what it tells
  std::string before;   // what was told before; "": nothing
  std::string line;     // for our log
  std::string json;     // for on_finding, one line without its end
};

struct Telling {
  bool now = false;
  std::optional<Instant> later;  // when to ask again, if nothing changes until then
};
[[nodiscard]] Telling telling_of(const MessageVerdict& message, const std::optional<Told>& told,
                                 Instant now);
// The same for a message that is gone, and for the latent fault.
[[nodiscard]] bool tells_withdrawal(const std::optional<Told>& told);
[[nodiscard]] bool tells_latent_fault(const std::optional<LatentFault>& fault,
                                      const std::optional<Told>& told);

// `name`: the tenant's. `at`: when it is told.
[[nodiscard]] LiveFinding message_finding(const std::string& tenant, const std::string& name,
                                          const MessageVerdict& message,
                                          const std::optional<Told>& told, Instant at);
[[nodiscard]] LiveFinding withdrawn_finding(const std::string& tenant, const std::string& name,
                                            const std::string& message, const Told& told,
                                            Instant at);
[[nodiscard]] LiveFinding latent_finding(const std::string& tenant, const std::string& name,
                                         const std::optional<LatentFault>& fault,
                                         const std::optional<Told>& told, Instant at);

// `names`: of tenants by id.
[[nodiscard]] LiveFinding systemic_finding(const SystemicIncident& incident,
                                           const std::map<std::string, std::string>& names,
                                           const std::optional<Told>& told, Instant at);
[[nodiscard]] LiveFinding systemic_over_finding(const std::string& id, const Told& told,
                                                Instant at);
[[nodiscard]] std::string systemic_state(const SystemicIncident& incident);
// In how many tenants it was when that was told; 0 when it was not.
[[nodiscard]] std::size_t systemic_tenants(const Told& told);

}  // namespace meldevakt::collector
