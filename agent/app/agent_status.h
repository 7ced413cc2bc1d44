// What the agent says of itself, for `status` and its metrics: budgets, how far behind it reads,
// and when rotation will overtake it. Kept as one JSON row of the state (topic kAgentTopic).
// Thread-safety: pure functions, plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/app/budget_keeper.h"
#include "agent/budget/rotation_forecast.h"
#include "agent/hold/hold_keeper.h"

namespace meldevakt::agent {

inline constexpr std::string_view kAgentTopic = "agent";

struct SourceBacklog {
  std::string source;
  std::uint64_t unread = 0;
  RotationPace rotation;
  Forecast forecast;
};

// {"cpu_percent", "cpu_percent_allowed", "memory", "memory_allowed", "memory_stage", "paced_for_s",
// "reason", "holds", "hold_bytes", "holds_erased_for_room" (null when nothing is held), "behind",
// "sources":[{"source", "behind", "catches_up_in_s", "forecast", "rotated_away", ...}]}
[[nodiscard]] std::string agent_status_json(const BudgetUse& use,
                                            const std::vector<SourceBacklog>& sources,
                                            const std::optional<HoldKeeper::Counts>& holds);
// What of it the next run goes on with; an empty pace when there is none or it cannot be read.
[[nodiscard]] RotationPace rotation_of(std::string_view json, std::string_view source);

}  // namespace meldevakt::agent
