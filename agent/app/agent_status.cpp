#include "agent/app/agent_status.h"

#include <nlohmann/json.hpp>
#include <optional>

namespace meldevakt::agent {
namespace {

using Json = nlohmann::ordered_json;

std::string_view name_of(MemoryStage stage) {
  switch (stage) {
    case MemoryStage::kEasy: return "easy";
    case MemoryStage::kTight: return "tight";
    case MemoryStage::kFull: return "full";
  }
  return "";
}

std::string_view reason_of(const BudgetUse& use) {
  if (use.memory == MemoryStage::kFull) return "memory_full";
  return use.paced_for ? "cpu_budget" : "";
}

Json seconds_or_null(const std::optional<Duration>& duration) {
  return duration ? Json((duration->ms + 999) / 1000) : Json{};
}

Json source_json(const SourceBacklog& source) {
  const Forecast& forecast = source.forecast;
  Json json{{"source", source.source}, {"behind", source.unread}};
  json["catches_up_in_s"] = seconds_or_null(forecast.catches_up_in);
  json["deleted_in_s"] = seconds_or_null(forecast.deleted_in);
  json["overtaken_in_s"] = seconds_or_null(forecast.overtaken_in);
  json["forecast"] = forecast.sentence;
  json["rotated_away"] = source.rotation.deleted;
  json["rotated_away_first"] = source.rotation.first_deleted.ms;
  json["rotated_away_last"] = source.rotation.last_deleted.ms;
  return json;
}

}  // namespace

std::string agent_status_json(const BudgetUse& use, const std::vector<SourceBacklog>& sources,
                              const std::optional<HoldKeeper::Counts>& holds) {
  Json json;
  json["cpu_percent"] = use.cpu_permille / 10.0;
  json["cpu_percent_allowed"] = use.cpu_percent_allowed;
  json["memory"] = use.memory_bytes;
  json["memory_allowed"] = use.memory_bytes_allowed;
  json["memory_stage"] = name_of(use.memory);
  json["paced_for_s"] = seconds_or_null(use.paced_for);
  json["reason"] = reason_of(use);
  json["holds"] = holds ? Json(holds->holds) : Json{};
  json["hold_bytes"] = holds ? Json(holds->stored_bytes) : Json{};
  json["holds_erased_for_room"] = holds ? Json(holds->erased_for_room) : Json{};
  std::uint64_t behind = 0;
  auto& list = json["sources"] = Json::array();
  for (const SourceBacklog& source : sources) {
    behind += source.unread;
    list.push_back(source_json(source));
  }
  json["behind"] = behind;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

RotationPace rotation_of(std::string_view json, std::string_view source) {
  const Json parsed = Json::parse(json, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("sources") || !parsed["sources"].is_array()) {
    return {};
  }
  for (const Json& one : parsed["sources"]) {
    if (!one.is_object() || one.value("source", Json{}) != source) continue;
    const auto number = [&](const char* name) -> std::int64_t {
      const auto found = one.find(name);
      const bool good = found != one.end() && found->is_number_integer();
      return good ? std::max<std::int64_t>(0, found->get<std::int64_t>()) : 0;
    };
    return {static_cast<std::uint64_t>(number("rotated_away")),
            {number("rotated_away_first")},
            {number("rotated_away_last")}};
  }
  return {};
}

}  // namespace meldevakt::agent
