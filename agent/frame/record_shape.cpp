#include "agent/frame/record_shape.h"

#include <array>
#include <utility>

namespace meldevakt::agent {
namespace {

constexpr std::array<std::pair<RecordKind, std::string_view>, 5> kNames{
    {{RecordKind::kLines, "lines"},
     {RecordKind::kCsv, "csv"},
     {RecordKind::kJsonLines, "json-lines"},
     {RecordKind::kXml, "xml"},
     {RecordKind::kW3c, "w3c"}}};

}  // namespace

std::string_view to_string(RecordKind kind) {
  for (const auto& [known, name] : kNames) {
    if (known == kind) return name;
  }
  return "";
}

std::optional<RecordKind> record_kind_from_string(std::string_view name) {
  for (const auto& [kind, known] : kNames) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

std::vector<std::string> all_record_kind_names() {
  std::vector<std::string> names;
  for (const auto& [kind, name] : kNames) names.emplace_back(name);
  return names;
}

}  // namespace meldevakt::agent
