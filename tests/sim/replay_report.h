// What a replay prints: table 2, and how long everything took beside how long it took in 2023.
// Pure. Thread-safety: pure functions.
#pragma once

#include <string>

#include "tests/sim/country_run.h"

namespace meldevakt::sim {

[[nodiscard]] std::string replay_text(const CountryPlan& plan, const CountryResult& result,
                                      const TimeZone& zone);
// The members and their order are a promise: scripts/replay-2023 --json.
[[nodiscard]] std::string replay_json(const CountryResult& result, double seconds);

}  // namespace meldevakt::sim
