// The commands that only read: conclusions drawn anew from the ledger, at the time given.
//
// They open the database read-only beside a running serve, or alone, and never checkpoint it.
// Each returns what to print and whether something is open. Errors: kNotFound (no database yet),
// kInvalid (no such tenant, with the nearest name), kIo.
#pragma once

#include <optional>
#include <string>

#include "collector/app/config.h"
#include "collector/correlate/correlate.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/ports/time_zone.h"

namespace meldevakt::collector {

struct InspectOptions {
  std::string tenant;              // by name; "" = all
  std::optional<Verdict> verdict;  // messages list only
  Instant now;
  bool json = false;
  bool what_if = false;         // `now` was asked for: that no control has run by then is no alarm
  std::optional<Instant> from;  // fleet report: the time it asks about; see asked_of()
  std::optional<Instant> until;
};
struct Inspected {
  std::string text;
  bool open = false;           // an incident is open, or there is an alarm
  bool nothing_known = false;  // there was nothing that could be looked at
};

[[nodiscard]] Result<Inspected> list_incidents(const Config& config, const TimeZone& zone,
                                               const InspectOptions& options);
[[nodiscard]] Result<Inspected> list_messages(const Config& config, const TimeZone& zone,
                                              const InspectOptions& options);
[[nodiscard]] Result<Inspected> report_fleet(const Config& config, const TimeZone& zone,
                                             const InspectOptions& options);
[[nodiscard]] Result<Inspected> run_control(const Config& config, const TimeZone& zone,
                                            const InspectOptions& options);

}  // namespace meldevakt::collector
