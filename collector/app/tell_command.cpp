#include "collector/app/tell_command.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "collector/app/command_basics.h"
#include "collector/app/commands.h"
#include "collector/app/control_tell.h"
#include "collector/app/writer.h"
#include "collector/report/table.h"
#include "common/crypto/crypto.h"

namespace meldevakt::collector {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Read beside a server or alone, and closed before anything is written.
Result<LedgerEntry> entry_to_tell(const Config& config, Instant now, MakeEntry make,
                                  const TellOptions& options) {
  MELDEVAKT_TRY_ASSIGN(const std::unique_ptr<SqliteStore> store, open_to_read(config));
  if (options.tenant.empty()) return Error{Errc::kInvalid, "--tenant: whose?"};
  MELDEVAKT_TRY_ASSIGN(const std::vector<Tenant> tenants, chosen_tenants(*store, options.tenant));
  MELDEVAKT_TRY_ASSIGN(const std::shared_ptr<const TimeZone> zone, oslo());
  MELDEVAKT_TRY_ASSIGN(const View view, view_of(*store, config, tenants.front(), {now, nullptr}));
  return make_entry(make, view, options, *zone);
}

std::string some_of(const std::vector<std::string>& messages) {
  std::string first = messages.empty() ? "-" : messages.front();
  if (messages.size() < 2) return first;
  return first + " and " + std::to_string(messages.size() - 1) + " more";
}

// What an entry is about, for people.
struct About {
  const TimeZone& zone;
  std::string operator()(const MessageRecovered& what) const {
    return what.message + ", " + std::string{to_string(what.how)} + " " +
           local_time(what.when, zone);
  }
  std::string operator()(const SenderMistaken& what) const { return what.message; }
  std::string operator()(const StoredCount& what) const {
    return std::to_string(what.count) + " stored " + local_time(what.span.from, zone) + " - " +
           local_time(what.span.to, zone) +
           (what.form ? ", " + std::string{to_string(*what.form)} : "");
  }
  std::string operator()(const TakenBack& what) const {
    return "entry " + std::to_string(what.entry);
  }
};

std::string about(const LedgerEntry& entry, const TimeZone& zone) {
  if (const auto* const told = std::get_if<Testimony>(&entry)) {
    return std::visit(About{zone}, told->what);
  }
  const auto& decided = std::get<IncidentDecision>(entry);
  if (decided.kind == DecisionKind::kTakenBack) return "entry " + std::to_string(decided.entry);
  return some_of(decided.messages) +
         (decided.aware ? ", since " + local_time(*decided.aware, zone) : "") +
         (decided.notified ? ", " + local_time(*decided.notified, zone) : "") +
         (decided.reference.empty() ? "" : ", reference " + decided.reference);
}

}  // namespace

Result<int> run_tell(const Config& config, Clock& clock, MakeEntry make,
                     const TellOptions& options) {
  MELDEVAKT_TRY_ASSIGN(const LedgerEntry entry, entry_to_tell(config, clock.now(), make, options));
  OpenSslRandom random;
  MELDEVAKT_TRY_ASSIGN(const ControlCall call, find_writer(config, clock, random));
  MELDEVAKT_TRY_ASSIGN(const std::uint64_t number, call_tell(call, options.tenant, entry));
  const std::string text = options.json ? dump({{"number", number}}) + "\n"
                                        : "Told, as entry " + std::to_string(number) + " of '" +
                                              printable(options.tenant) + "'\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
  return kExitDone;
}

Result<Inspected> list_told(const Config& config, const TimeZone& zone,
                            const InspectOptions& options) {
  MELDEVAKT_TRY_ASSIGN(const std::unique_ptr<SqliteStore> store, open_to_read(config));
  MELDEVAKT_TRY_ASSIGN(const std::vector<Tenant> tenants, chosen_tenants(*store, options.tenant));
  Inspected out;
  Table table{{"TENANT", "ENTRY", "TOLD", "BY", "WHAT", "ABOUT", "NOTE", "COUNTS"}};
  std::string alarms_text;
  for (const Tenant& tenant : tenants) {
    std::vector<Alarm> alarms;
    MELDEVAKT_TRY_ASSIGN(const std::vector<ToldEntry> told, store->told(tenant.id, alarms));
    std::vector<LedgerEntry> entries;
    for (const ToldEntry& one : told) entries.push_back(one.entry);
    const std::set<std::uint64_t> gone = taken_back(entries);
    for (const ToldEntry& one : told) {
      const bool counts = gone.count(number_of(one.entry)) == 0;
      const Json json = Json::parse(encode_entry(one.entry), nullptr, false);
      if (options.json) {
        out.text += dump({{"tenant", tenant.id},
                          {"recorded", to_rfc3339(one.recorded)},
                          {"counts", counts},
                          {"entry", json}}) +
                    "\n";
      }
      table.add({tenant.name, std::to_string(number_of(one.entry)), local_time(one.recorded, zone),
                 std::string{person_of(one.entry)}, json.value("kind", ""), about(one.entry, zone),
                 json.value("note", ""), counts ? "yes" : "taken back"});
    }
    for (const Alarm& alarm : alarms) {
      out.open = true;
      alarms_text += "ALARM " + printable(tenant.name) + ": " + printable(alarm.detail) + "\n";
    }
  }
  if (!options.json) out.text = table.text() + alarms_text;
  return out;
}

}  // namespace meldevakt::collector
