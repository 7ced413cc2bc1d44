#include "agent/rules/shipped_packs.h"

namespace meldevakt::agent {

std::optional<SharedRules> find_shipped_shared_rules(std::string_view name) {
  constexpr std::string_view kEnding = ".shared.toml";
  for (const ShippedPack& file : shipped_shared_rules()) {
    const std::string_view full = file.file_name;
    if (full.size() == name.size() + kEnding.size() && full.substr(0, name.size()) == name) {
      return SharedRules{std::string{file.text}, std::string{full}};
    }
  }
  return std::nullopt;
}

}  // namespace meldevakt::agent
