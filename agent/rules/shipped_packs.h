// The rule packs that are built into the agent. Their files lie beside this one; the build verifies
// every sample in them (verify_packs) and stops when one does not hold.
// Thread-safety: constant data.
#pragma once

#include <string_view>
#include <vector>

namespace meldevakt::agent {

struct ShippedPack {
  std::string_view file_name;  // "familia-like.rules.toml"
  std::string_view text;
};

[[nodiscard]] const std::vector<ShippedPack>& shipped_packs();  // sorted by file name

}  // namespace meldevakt::agent
