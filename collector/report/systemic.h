// The same fault in several municipalities, as text and JSON (incidents/signatures.h says what it
// is). Whoever is given it may see all of its tenants. Pure. Thread-safety: pure functions.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "collector/incidents/signatures.h"
#include "common/ports/time_zone.h"

namespace meldevakt::collector {

// One object, as a member of another or as a line of its own; members: REPORT.md.
[[nodiscard]] std::string systemic_json(const SystemicIncident& incident);

// "SYSTEMIC ...": some lines; `names`: of tenants by id. Lists kSampleNext of the exposed.
[[nodiscard]] std::string systemic_text(const SystemicIncident& incident,
                                        const std::map<std::string, std::string>& names,
                                        const TimeZone& zone);

}  // namespace meldevakt::collector
