// [hold] of agent.toml. Errors: as mistakes, with their lines. Thread-safety: none.
#pragma once

#include "agent/app/config_table.h"
#include "agent/hold/hold.h"

namespace meldevakt::agent {

void read_hold_config(const toml::table& table, HoldSettings& out, Mistakes& mistakes);

}  // namespace meldevakt::agent
