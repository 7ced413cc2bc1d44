#include "collector/app/control_tell.h"

#include <nlohmann/json.hpp>
#include <set>

#include "collector/app/view.h"
#include "common/privacy/privacy.h"

namespace meldevakt::collector {
namespace {

using Json = nlohmann::ordered_json;

Error malformed() {
  return Error{Errc::kCorrupt, "the control line has no such form"};
}

// Who tells and why is kept as it is told, for as long as the ledger is. Whom it is about has no
// place there.
Status check_privacy(const LedgerEntry& entry) {
  const auto holds = [](const auto& what) {
    return holds_identity_number(what.person) || holds_identity_number(what.note);
  };
  const auto* const decided = std::get_if<IncidentDecision>(&entry);
  const bool referred = decided != nullptr && holds_identity_number(decided->reference);
  if (!referred && !std::visit(holds, entry)) return {};
  return Error{
      Errc::kInvalid,
      "--by, --note and --reference must not hold an identity number: what is told is kept"};
}

// What is taken back must be there, and still say something.
Status check_taken_back(Store& store, const std::string& tenant, std::uint64_t number) {
  std::vector<Alarm> alarms;
  MELDEVAKT_TRY_ASSIGN(const std::vector<ToldEntry> told, store.told(tenant, alarms));
  std::vector<LedgerEntry> entries;
  std::set<std::uint64_t> known;
  for (const ToldEntry& one : told) {
    entries.push_back(one.entry);
    known.insert(number_of(one.entry));
  }
  if (known.count(number) == 0) {
    return Error{Errc::kInvalid,
                 "--entry: there is no entry " + std::to_string(number) +
                     (known.empty() ? "; nothing was told yet"
                                    : "; the newest is " + std::to_string(*known.rbegin()))};
  }
  if (taken_back(entries).count(number) != 0) {
    return Error{Errc::kInvalid,
                 "--entry: entry " + std::to_string(number) + " is taken back already"};
  }
  return {};
}

}  // namespace

Result<std::string> answer_tell(Store& store, Instant now, std::string_view line,
                                const std::function<void(const std::string&)>& told) {
  const Json request = Json::parse(line, nullptr, false);
  if (!request.is_object() || !request.contains("tenant") || !request["tenant"].is_string() ||
      !request.contains("entry") || !request["entry"].is_object()) {
    return malformed();
  }
  const std::string name = request["tenant"].get<std::string>();
  if (name.empty()) return malformed();
  MELDEVAKT_TRY_ASSIGN(const std::vector<Tenant> chosen, chosen_tenants(store, name, now));
  MELDEVAKT_TRY_ASSIGN(LedgerEntry entry, decode_entry(request["entry"].dump(
                                              -1, ' ', false, Json::error_handler_t::replace)));
  set_told(entry, now);
  MELDEVAKT_TRY(check_entry_of_people(entry));
  MELDEVAKT_TRY(check_privacy(entry));
  if (const auto back = takes_back(entry)) {
    MELDEVAKT_TRY(check_taken_back(store, chosen.front().id, *back));
  }
  MELDEVAKT_TRY_ASSIGN(const std::uint64_t number, store.add_told(chosen.front().id, entry, now));
  if (told) told(chosen.front().id);
  return Json{{"ok", true}, {"number", number}}.dump();
}

Result<std::uint64_t> call_tell(const ControlCall& call, const std::string& tenant,
                                const LedgerEntry& entry) {
  const Json request{{"command", "tell"},
                     {"tenant", tenant},
                     {"entry", Json::parse(encode_entry(entry), nullptr, false)}};
  MELDEVAKT_TRY_ASSIGN(
      const std::string line,
      ask_line(call, request.dump(-1, ' ', false, Json::error_handler_t::replace)));
  const Json answer = Json::parse(line, nullptr, false);
  if (!answer.is_object() || !answer.contains("number") || !answer["number"].is_number_unsigned()) {
    return malformed();
  }
  return answer["number"].get<std::uint64_t>();
}

}  // namespace meldevakt::collector
