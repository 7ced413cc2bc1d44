// Public test vectors beside the repository; absent in a plain clone, then the tests say so and
// skip.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "common/base/bytes.h"

namespace meldevakt::testing {

inline std::optional<nlohmann::json> vectors(const std::string& name) {
  const std::filesystem::path path =
      std::filesystem::path{MELDEVAKT_SOURCE_DIR} / "../shared/data/vectors" / name;
  std::ifstream file{path};
  if (!file) {
    MESSAGE("skipped: no " << path.string());
    return std::nullopt;
  }
  return nlohmann::json::parse(file);
}

inline std::string raw(const nlohmann::json& hex) {
  auto bytes = from_hex(hex.get<std::string>());
  REQUIRE(bytes);
  return std::move(bytes).value();
}

}  // namespace meldevakt::testing
