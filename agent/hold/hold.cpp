#include "agent/hold/hold.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace meldevakt::agent {
namespace {

using Json = nlohmann::ordered_json;

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<HoldState> state_from(std::string_view text) {
  for (const HoldState state : {HoldState::kCollecting, HoldState::kClosed, HoldState::kErased}) {
    if (to_string(state) == text) return state;
  }
  return std::nullopt;
}

Json to_json(const HoldFinding& finding) {
  return {{"id", finding.id},
          {"kind", finding.kind},
          {"time_ms", finding.time.ms},
          {"source", finding.source},
          {"code", finding.code}};
}

Json to_json(const HoldSource& source) {
  Json gaps = Json::array();
  for (const HoldGap& gap : source.gaps) {
    gaps.push_back({{"key", gap.key},
                    {"path", gap.path},
                    {"from", gap.from},
                    {"to", gap.to},
                    {"reason", gap.reason}});
  }
  return {{"name", source.name},   {"pack", source.pack},     {"done", source.done},
          {"bytes", source.bytes}, {"gaps", std::move(gaps)}, {"shares", source.shares}};
}

Json to_json(const HoldPart& part) {
  return {{"number", part.number},
          {"source", part.source},
          {"key", part.key},
          {"path", part.path},
          {"from", part.from},
          {"to", part.to},
          {"sha256", part.plain.hex()},
          {"stored_sha256", part.stored.hex()},
          {"stored_bytes", part.stored_bytes}};
}

Json to_json(const Hold& hold) {
  Json json{{"id", hold.id},
            {"tenant", hold.tenant},
            {"number", hold.number},
            {"state", to_string(hold.state)},
            {"made_ms", hold.made.ms},
            {"closed_ms", hold.closed.ms},
            {"keep_until_ms", hold.keep_until.ms},
            {"window_ms", {hold.window.from.ms, hold.window.to.ms}},
            {"pivot_ms", hold.pivot.ms}};
  auto& findings = json["findings"] = Json::array();
  for (const HoldFinding& finding : hold.findings) findings.push_back(to_json(finding));
  json["more_findings"] = hold.more_findings;
  auto& sources = json["sources"] = Json::array();
  for (const HoldSource& source : hold.sources) sources.push_back(to_json(source));
  json["shares"] = hold.shares;
  json["stored_bytes"] = hold.stored_bytes;
  json["manifest"] = hold.manifest.hex();
  json["erased_ms"] = hold.erased.ms;
  json["erased_why"] = hold.erased_why;
  return json;
}

// These throw the JSON library's exceptions on what is not of its form.
Instant instant(const Json& json, const char* name) {
  return {json.at(name).get<std::int64_t>()};
}

Sha256 hash(const Json& json, const char* name) {
  auto value = Sha256::from_hex_text(json.at(name).get_ref<const std::string&>());
  if (!value) throw Json::type_error::create(302, "not a hash", nullptr);
  return value.value();
}

HoldFinding finding_from(const Json& json) {
  return {json.at("id").get<std::string>(), json.at("kind").get<std::string>(),
          instant(json, "time_ms"), json.at("source").get<std::string>(),
          json.at("code").get<std::string>()};
}

HoldSource source_from(const Json& json) {
  HoldSource out;
  out.name = json.at("name").get<std::string>();
  out.pack = json.at("pack").get<std::string>();
  out.done = json.at("done").get<bool>();
  out.bytes = json.at("bytes").get<std::uint64_t>();
  for (const Json& gap : json.at("gaps")) {
    out.gaps.push_back({gap.at("key").get<std::string>(), gap.at("path").get<std::string>(),
                        gap.at("from").get<std::uint64_t>(), gap.at("to").get<std::uint64_t>(),
                        gap.at("reason").get<std::string>()});
  }
  // Holds of the first versions have none.
  if (json.contains("shares")) out.shares = json.at("shares").get<std::vector<std::string>>();
  return out;
}

HoldPart part_from(const Json& json, const std::string& hold) {
  HoldPart out;
  out.hold = hold;
  out.number = json.at("number").get<std::uint64_t>();
  out.source = json.at("source").get<std::string>();
  out.key = json.at("key").get<std::string>();
  out.path = json.at("path").get<std::string>();
  out.from = json.at("from").get<std::uint64_t>();
  out.to = json.at("to").get<std::uint64_t>();
  out.plain = hash(json, "sha256");
  out.stored = hash(json, "stored_sha256");
  out.stored_bytes = json.at("stored_bytes").get<std::uint64_t>();
  return out;
}

Hold hold_from(const Json& json) {
  Hold out;
  out.id = json.at("id").get<std::string>();
  out.tenant = json.at("tenant").get<std::string>();
  out.number = json.at("number").get<std::uint64_t>();
  const auto state = state_from(json.at("state").get_ref<const std::string&>());
  if (!state) throw Json::type_error::create(302, "not a state", nullptr);
  out.state = *state;
  out.made = instant(json, "made_ms");
  out.closed = instant(json, "closed_ms");
  out.keep_until = instant(json, "keep_until_ms");
  out.window = {{json.at("window_ms").at(0).get<std::int64_t>()},
                {json.at("window_ms").at(1).get<std::int64_t>()}};
  out.pivot = instant(json, "pivot_ms");
  for (const Json& one : json.at("findings")) out.findings.push_back(finding_from(one));
  out.more_findings = json.at("more_findings").get<std::uint64_t>();
  for (const Json& one : json.at("sources")) out.sources.push_back(source_from(one));
  out.shares = json.at("shares").get<std::vector<std::string>>();
  out.stored_bytes = json.at("stored_bytes").get<std::uint64_t>();
  out.manifest = hash(json, "manifest");
  out.erased = instant(json, "erased_ms");
  out.erased_why = json.at("erased_why").get<std::string>();
  return out;
}

}  // namespace

std::string_view to_string(HoldState state) {
  switch (state) {
    case HoldState::kCollecting: return "collecting";
    case HoldState::kClosed: return "closed";
    case HoldState::kErased: return "erased";
  }
  return "";
}

bool Hold::complete() const {
  return state == HoldState::kClosed &&
         std::all_of(sources.begin(), sources.end(),
                     [](const HoldSource& source) { return source.gaps.empty(); });
}

std::string part_file_name(std::uint64_t number) {
  std::string digits = std::to_string(number);
  if (digits.size() < 6) digits.insert(0, 6 - digits.size(), '0');
  return "part-" + digits + ".hold";
}

std::string encode_hold(const Hold& hold) {
  return line_of(to_json(hold));
}

Result<Hold> decode_hold(std::string_view json) {
  try {
    return hold_from(Json::parse(json));
  } catch (const Json::exception&) {
    return Error{Errc::kCorrupt, "is not the description of a hold"};
  }
}

std::string encode_manifest(const HoldManifest& manifest) {
  Json json{{"format", "meldevakt-hold-1"},
            {"hold", to_json(manifest.hold)},
            {"previous", manifest.previous.hex()},
            {"agent", manifest.agent},
            {"software", manifest.software}};
  auto& parts = json["parts"] = Json::array();
  for (const HoldPart& part : manifest.parts) parts.push_back(to_json(part));
  return line_of(json);
}

Result<HoldManifest> decode_manifest(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    if (json.at("format") != "meldevakt-hold-1") {
      return Error{Errc::kCorrupt, "is a manifest of a format that this version does not know"};
    }
    HoldManifest out;
    out.hold = hold_from(json.at("hold"));
    out.previous = hash(json, "previous");
    out.agent = json.at("agent").get<std::string>();
    out.software = json.at("software").get<std::string>();
    for (const Json& part : json.at("parts")) out.parts.push_back(part_from(part, out.hold.id));
    return out;
  } catch (const Json::exception&) {
    return Error{Errc::kCorrupt, "is no manifest of a hold"};
  }
}

}  // namespace meldevakt::agent
