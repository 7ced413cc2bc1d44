// The rule packs that are built into the agent. Their files lie beside this one; the build verifies
// every sample in them (verify_packs) and stops when one does not hold.
// Thread-safety: constant data.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "agent/recognise/pack.h"

namespace meldevakt::agent {

struct ShippedPack {
  std::string_view file_name;  // "familia-like.rules.toml"
  std::string_view text;
};

[[nodiscard]] const std::vector<ShippedPack>& shipped_packs();  // sorted by file name
// Files of rules that packs include by name ("mssql-client.shared.toml").
[[nodiscard]] const std::vector<ShippedPack>& shipped_shared_rules();  // sorted by file name
// The file of shared rules called `name` ("mssql-client"): what load_pack() asks for.
//   load_pack(shipped.text, shipped.file_name, find_shipped_shared_rules)
[[nodiscard]] std::optional<SharedRules> find_shipped_shared_rules(std::string_view name);

}  // namespace meldevakt::agent
