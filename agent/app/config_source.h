// Reads one [[source]] of agent.toml.
#pragma once

#include "agent/app/config.h"
#include "agent/app/config_table.h"

namespace meldevakt::agent {

[[nodiscard]] SourceConfig read_source_config(const toml::table& table, Mistakes& mistakes);

}  // namespace meldevakt::agent
