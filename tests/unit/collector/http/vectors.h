// The 32 hostile requests of ../shared/data/vectors/http, read in place; empty where they are not.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace meldevakt::collector::testing {

struct HttpVector {
  std::string file;
  std::string name;
  bool refuse = false;
  std::string bytes;
};

inline std::string file_bytes(const std::filesystem::path& path) {
  std::ifstream stream{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{stream}, std::istreambuf_iterator<char>{}};
}

inline std::vector<HttpVector> http_vectors() {
  const std::filesystem::path folder =
      std::filesystem::path{MELDEVAKT_SOURCE_DIR} / "../shared/data/vectors/http";
  if (!std::filesystem::exists(folder / "index.json")) return {};
  std::vector<HttpVector> all;
  for (const auto& entry : nlohmann::json::parse(file_bytes(folder / "index.json"))) {
    const std::string file = entry["file"];
    all.push_back({file, entry["name"], entry["expect"] == "refuse", file_bytes(folder / file)});
  }
  return all;
}

}  // namespace meldevakt::collector::testing
