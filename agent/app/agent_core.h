// The part of the agent that is built from its state (agent_build.cpp) and run (agent.cpp).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "agent/app/agent.h"
#include "agent/hold/hold_keeper.h"

namespace meldevakt::agent {

struct Agent::Core {
  std::unique_ptr<State> state;
  std::optional<AgentTime> time;
  std::vector<std::unique_ptr<TenantLane>> tenants;
  std::vector<std::unique_ptr<SourceLane>> sources;
  std::unique_ptr<HoldDisk> hold_disk;
  std::unique_ptr<HoldKeeper> holds;  // none: [hold] enabled = false
  StateChange change;                 // waits for the next commit
  Instant committed;
  Instant status_stored;

  [[nodiscard]] std::vector<SourceLane*> source_pointers() const {
    std::vector<SourceLane*> out;
    for (const auto& source : sources) out.push_back(source.get());
    return out;
  }
};

}  // namespace meldevakt::agent
