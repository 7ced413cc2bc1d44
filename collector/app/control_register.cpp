#include "collector/app/control_register.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "collector/app/view.h"

namespace meldevakt::collector {
namespace {

using Json = nlohmann::ordered_json;

Error malformed() {
  return Error{Errc::kCorrupt, "the control line has no such form"};
}

Result<Tenant> tenant_of(Store& store, const Json& request, std::optional<Instant> now) {
  if (!request.is_object() || !request.contains("tenant") || !request["tenant"].is_string()) {
    return malformed();
  }
  const std::string name = request["tenant"].get<std::string>();
  if (name.empty()) return malformed();
  MELDEVAKT_TRY_ASSIGN(const std::vector<Tenant> chosen, chosen_tenants(store, name, now));
  return chosen.front();
}

Result<RegistryEntry> entry_of(const Json& row) {
  if (!row.is_array() || row.size() != 5 || !row[0].is_string() || !row[1].is_string() ||
      !row[2].is_string() || !row[3].is_number_integer() || !row[4].is_number_integer()) {
    return malformed();
  }
  const auto kind = entry_kind_from_string(row[0].get<std::string>());
  if (!kind) return malformed();
  RegistryEntry out{*kind,
                    row[1].get<std::string>(),
                    row[2].get<std::string>(),
                    {{row[3].get<std::int64_t>()}, {row[4].get<std::int64_t>()}}};
  MELDEVAKT_TRY(check_entry(out));
  return out;
}

}  // namespace

Result<std::string> answer_register(Store& store, Instant now, std::string_view line) {
  const Json request = Json::parse(line, nullptr, false);
  MELDEVAKT_TRY_ASSIGN(const Tenant tenant, tenant_of(store, request, now));
  if (!request.contains("entries") || !request["entries"].is_array()) return malformed();
  std::vector<RegistryEntry> entries;
  for (const Json& row : request["entries"]) {
    MELDEVAKT_TRY_ASSIGN(RegistryEntry entry, entry_of(row));
    entries.push_back(std::move(entry));
  }
  MELDEVAKT_TRY(store.add_registry_entries(tenant.id, entries, now));
  return Json{{"ok", true}, {"added", entries.size()}}.dump();
}

Result<std::string> answer_control(Store& store, StandingControl* control, std::string_view line) {
  if (control == nullptr) return Error{Errc::kInvalid, "no control can be run here"};
  const Json request = Json::parse(line, nullptr, false);
  MELDEVAKT_TRY_ASSIGN(const Tenant tenant, tenant_of(store, request, {}));
  std::optional<Interval> period;
  if (request.contains("period") && !request["period"].is_null()) {
    const Json& json = request["period"];
    if (!json.is_array() || json.size() != 2 || !json[0].is_number_integer() ||
        !json[1].is_number_integer()) {
      return malformed();
    }
    period = Interval{{json[0].get<std::int64_t>()}, {json[1].get<std::int64_t>()}};
    if (period->empty()) return Error{Errc::kInvalid, "--until must be later than --from"};
  }
  MELDEVAKT_TRY_ASSIGN(const ControlRecord record, control->run(tenant, period, true));
  return R"({"ok":true,"record":)" + encode_control(record) + "}";
}

Result<std::uint64_t> call_register(const ControlCall& call, const std::string& tenant,
                                    const std::vector<RegistryEntry>& entries) {
  std::uint64_t added = 0;
  for (std::size_t at = 0; at < entries.size(); at += kEntriesPerLineMax) {
    Json rows = Json::array();
    for (std::size_t i = at; i < std::min(entries.size(), at + kEntriesPerLineMax); ++i) {
      const RegistryEntry& entry = entries[i];
      rows.push_back(Json::array(
          {to_string(entry.kind), entry.value, entry.label, entry.span.from.ms, entry.span.to.ms}));
    }
    const std::uint64_t count = rows.size();
    const Json request{{"command", "register"}, {"tenant", tenant}, {"entries", std::move(rows)}};
    MELDEVAKT_TRY(ask_line(call, request.dump(-1, ' ', false, Json::error_handler_t::replace)));
    added += count;
  }
  return added;
}

Result<ControlRecord> call_control(const ControlCall& call, const std::string& tenant,
                                   const std::optional<Interval>& period) {
  Json request{{"command", "control"}, {"tenant", tenant}, {"period", nullptr}};
  if (period) request["period"] = Json::array({period->from.ms, period->to.ms});
  MELDEVAKT_TRY_ASSIGN(
      const std::string line,
      ask_line(call, request.dump(-1, ' ', false, Json::error_handler_t::replace)));
  const Json answer = Json::parse(line, nullptr, false);
  if (!answer.is_object() || !answer.contains("record")) return malformed();
  return decode_control(answer["record"].dump());
}

}  // namespace meldevakt::collector
