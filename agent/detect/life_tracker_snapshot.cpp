// A LifeTracker's state as bytes: CBOR (RFC 8949) of arrays in fixed order, with the version first.
#include <nlohmann/json.hpp>

#include <utility>

#include "agent/detect/life_tracker_state.h"

namespace meldevakt::agent {
namespace {

using nlohmann::json;

constexpr int kVersion = 2;

json save_names(const std::vector<Reference>& names) {
  json out = json::array();
  for (const Reference& name : names) {
    out.push_back(json::array({std::string{to_string(name.type)}, name.value}));
  }
  return out;
}

// nullopt for a type that is not known; throws on another form.
std::optional<std::vector<Reference>> load_names(const json& in) {
  std::vector<Reference> out;
  for (const json& pair : in) {
    const auto type = reference_type_from_string(pair.at(0).get_ref<const std::string&>());
    if (!type) return std::nullopt;
    out.push_back({*type, pair.at(1).get<std::string>()});
  }
  return out;
}

json save_step(const std::string& id, const LifeStep& step) {
  return json::array({id, step.revision, std::string{to_string(step.signal)}, step.time.ms,
                      step.outcome ? std::string{to_string(*step.outcome)} : "", step.code,
                      step.source, save_names(step.candidates), step.time_error.ms});
}

std::optional<LifeStep> load_step(const json& in) {
  const auto signal = signal_from_string(in.at(2).get_ref<const std::string&>());
  auto candidates = load_names(in.at(7));
  if (!signal || !candidates) return std::nullopt;
  return LifeStep{
      in.at(1).get<std::uint32_t>(),  *signal,
      {in.at(3).get<std::int64_t>()}, outcome_from_string(in.at(4).get_ref<const std::string&>()),
      in.at(5).get<std::string>(),    in.at(6).get<std::string>(),
      std::move(*candidates),         {in.at(8).get<std::int64_t>()}};
}

}  // namespace

std::string LifeTracker::State::save() const {
  json all = json::array();
  for (const auto& [id, life] : lives) {
    json steps = json::array();
    for (const auto& [fact, step] : life.steps) steps.push_back(save_step(fact, step));
    all.push_back(
        json::array({save_names(life.names), life.told, life.last.ms, life.settled, steps}));
  }
  const std::vector<std::uint8_t> bytes = json::to_cbor(json::array({kVersion, std::move(all)}));
  return {bytes.begin(), bytes.end()};
}

bool LifeTracker::State::load(std::string_view snapshot) {
  const json in = json::from_cbor(snapshot);
  if (in.at(0).get<int>() != kVersion) return false;
  for (const json& saved : in.at(1)) {
    const auto life_names = load_names(saved.at(0));
    if (!life_names) return false;
    const std::uint64_t id = join(*life_names, {});
    for (const json& step : saved.at(4)) {
      std::optional<LifeStep> loaded = load_step(step);
      if (!loaded) return false;
      put(step.at(0).get<std::string>(), std::move(*loaded), id);
    }
    Life& life = lives.at(id);
    life.told = saved.at(1).get<std::array<bool, kFindingKinds>>();
    life.last = {saved.at(2).get<std::int64_t>()};
    life.settled = saved.at(3).get<bool>();
    if (life.settled) waiting.erase(id);
  }
  return true;
}

std::string LifeTracker::snapshot() const {
  return state_->save();
}

Result<LifeTracker> LifeTracker::restore(Settings settings, std::string_view snapshot) {
  LifeTracker tracker{settings};
  try {
    if (tracker.state_->load(snapshot)) return tracker;
  } catch (const json::exception&) {
    // Falls through: the library's message would repeat what the snapshot says.
  }
  return Error{Errc::kCorrupt, "life tracker snapshot: not of the form of version 2"};
}

}  // namespace meldevakt::agent
