#include "collector/app/registry_command.h"

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "collector/app/command_basics.h"
#include "collector/app/commands.h"
#include "collector/app/control_register.h"
#include "collector/app/view.h"
#include "collector/app/writer.h"
#include "collector/registry/registry_csv.h"
#include "collector/report/table.h"
#include "common/base/text.h"
#include "common/crypto/crypto.h"
#include "common/platform/disk.h"

namespace meldevakt::collector {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t kControlsListed = 400;  // a year of daily ones and more

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string time_text(Instant time, const TimeZone& zone) {
  if (time <= kAlways.from || kAlways.to <= time) return "-";
  return local_time(time, zone);
}

Json time_json(Instant time) {
  if (time <= kAlways.from || kAlways.to <= time) return nullptr;
  return to_rfc3339(time);
}

}  // namespace

Result<int> run_registry_set(const Config& config, Clock& clock,
                             const RegistrySetOptions& options) {
  RegistryEntry entry;
  const auto kind = entry_kind_from_string(options.kind);
  if (!kind) {
    const auto near = nearest_name(options.kind, all_entry_kind_names());
    return Error{Errc::kInvalid, "--kind: there is no kind '" + meldevakt::quoted(options.kind) +
                                     "'" + (near ? "; did you mean '" + *near + "'?" : "")};
  }
  entry.kind = *kind;
  entry.value = options.value;
  entry.label = options.label;
  MELDEVAKT_TRY_ASSIGN(const std::shared_ptr<const TimeZone> zone, oslo());
  auto from = registry_time(options.from, kAlways.from, *zone);
  if (!from) return std::move(from).error().in("--from");
  auto until = registry_time(options.until, kAlways.to, *zone);
  if (!until) return std::move(until).error().in("--until");
  entry.span = {from.value(), until.value()};
  MELDEVAKT_TRY(check_entry(entry));
  OpenSslRandom random;
  MELDEVAKT_TRY_ASSIGN(const ControlCall call, find_writer(config, clock, random));
  MELDEVAKT_TRY_ASSIGN(const std::uint64_t added, call_register(call, options.tenant, {entry}));
  print(options.json ? dump({{"added", added}}) + "\n"
                     : "1 entry added for '" + options.tenant + "'\n");
  return kExitDone;
}

Result<int> run_registry_import(const Config& config, Clock& clock, const std::string& file,
                                bool json) {
  MELDEVAKT_TRY_ASSIGN(const std::string csv, read_file(file, kRegistryBytesMax));
  MELDEVAKT_TRY_ASSIGN(const std::shared_ptr<const TimeZone> zone, oslo());
  auto rows = parse_registry(csv, *zone);
  if (!rows) return Error{Errc::kInvalid, file + ": " + rows.error().message()};
  std::map<std::string, std::vector<RegistryEntry>> by_tenant;
  for (TenantEntry& row : rows.value().entries) {
    by_tenant[row.tenant].push_back(std::move(row.entry));
  }
  OpenSslRandom random;
  MELDEVAKT_TRY_ASSIGN(const ControlCall call, find_writer(config, clock, random));
  std::uint64_t added = 0;
  std::vector<std::string> problems;
  for (const RowError& error : rows.value().errors) {
    problems.push_back("row " + std::to_string(error.row) + ": " + error.message);
  }
  if (rows.value().bad_rows > rows.value().errors.size()) {
    problems.push_back("and " + std::to_string(rows.value().bad_rows - rows.value().errors.size()) +
                       " more bad rows");
  }
  // A tenant that is not known costs its own rows only.
  for (const auto& [tenant, entries] : by_tenant) {
    auto count = call_register(call, tenant, entries);
    if (count) {
      added += count.value();
    } else if (count.error().code() == Errc::kInvalid || count.error().code() == Errc::kLimit) {
      problems.push_back(count.error().message());
    } else {
      return std::move(count).error();
    }
  }
  if (json) {
    print(dump({{"rows", rows.value().rows}, {"added", added}, {"problems", problems}}) + "\n");
  } else {
    print(std::to_string(rows.value().rows) + " rows: " + std::to_string(added) + " added\n");
    std::string lines;
    for (const std::string& problem : problems) {
      lines.append(file).append(": ").append(problem).append("\n");
    }
    print(lines);
  }
  return problems.empty() ? kExitDone : kExitFindings;
}

Result<Inspected> list_registry(const Config& config, const TimeZone& zone,
                                const InspectOptions& options, bool everything) {
  MELDEVAKT_TRY_ASSIGN(const std::unique_ptr<SqliteStore> store, open_to_read(config));
  MELDEVAKT_TRY_ASSIGN(const std::vector<Tenant> tenants, chosen_tenants(*store, options.tenant));
  Inspected out;
  Table table{{"TENANT", "NAME", "KIND", "VALUE", "LABEL", "FROM", "UNTIL"}};
  for (const Tenant& tenant : tenants) {
    MELDEVAKT_TRY_ASSIGN(const std::vector<RegistryEntry> added,
                         store->registry_entries(tenant.id));
    const Registry registry{added};
    for (const RegistryEntry& entry : registry.entries()) {
      if (!everything && !entry.span.contains(options.now)) continue;
      if (options.json) {
        out.text += dump({{"tenant", tenant.id},
                          {"name", tenant.name},
                          {"kind", to_string(entry.kind)},
                          {"value", entry.value},
                          {"label", entry.label},
                          {"from", time_json(entry.span.from)},
                          {"until", time_json(entry.span.to)}}) +
                    "\n";
      }
      table.add({tenant.id, tenant.name, std::string{to_string(entry.kind)}, entry.value,
                 entry.label, time_text(entry.span.from, zone), time_text(entry.span.to, zone)});
    }
  }
  if (!options.json) out.text = table.text();
  return out;
}

Result<ControlsRun> run_controls(const Config& config, Clock& clock, const TimeZone& zone,
                                 const InspectOptions& options) {
  std::vector<Tenant> tenants;
  {
    MELDEVAKT_TRY_ASSIGN(const std::unique_ptr<SqliteStore> store, open_to_read(config));
    MELDEVAKT_TRY_ASSIGN(tenants, chosen_tenants(*store, options.tenant));
  }
  std::optional<Interval> period;
  if (options.from || options.until) {
    const Instant until = options.until.value_or(options.now - kAnsweredWithin);
    period = Interval{options.from.value_or(until - config.control.look_back), until};
    if (period->empty()) return Error{Errc::kInvalid, "--until must be later than --from"};
  }
  OpenSslRandom random;
  MELDEVAKT_TRY_ASSIGN(const ControlCall call, find_writer(config, clock, random));
  ControlsRun out;
  for (const Tenant& tenant : tenants) {
    const auto ran = call_control(call, tenant.id, period);
    if (!ran && ran.error().code() == Errc::kNotFound) {
      if (!options.json) {
        out.text += printable(tenant.name) + ": " + ran.error().message() + "\n";
      }
      continue;
    }
    if (!ran) return ran.error();
    const ControlRecord& record = ran.value();
    out.agree = out.agree && record.agrees;
    out.text += options.json ? R"({"control":)" + encode_control(record) + "}\n"
                             : printable(tenant.name) + ": " + control_sentence(record, zone) +
                                   " (record " + std::to_string(record.number) + ")\n";
  }
  return out;
}

Result<Inspected> list_controls(const Config& config, const TimeZone& zone,
                                const InspectOptions& options) {
  MELDEVAKT_TRY_ASSIGN(const std::unique_ptr<SqliteStore> store, open_to_read(config));
  MELDEVAKT_TRY_ASSIGN(const std::vector<Tenant> tenants, chosen_tenants(*store, options.tenant));
  const std::string key_file = config.in_data("control.key");
  auto signer = load_signer(key_file);
  const bool no_key = !signer && signer.error().code() == Errc::kNotFound;
  if (!signer && !no_key) return std::move(signer).error();
  const OpenSslVerifier verifier;
  Inspected out;
  Table table{{"TENANT", "NUMBER", "RAN", "BY", "MISSED", "SIGNED", "FOUND"}};
  for (const Tenant& tenant : tenants) {
    MELDEVAKT_TRY_ASSIGN(const std::vector<StoredControl> stored,
                         store->controls(tenant.id, kControlsListed));
    if (no_key && !stored.empty()) {
      return Error{Errc::kNotFound,
                   key_file + " is missing: the controls that are stored cannot be verified"};
    }
    if (stored.empty()) continue;
    const auto checked = check_controls(stored, stored.size() < kControlsListed,
                                        signer.value()->public_key(), verifier);
    for (std::size_t i = 0; i < checked.size(); ++i) {
      const CheckedControl& one = checked[i];
      out.open = out.open || !one.problem.empty();
      if (options.json) {
        Json line{{"tenant", tenant.id},
                  {"number", one.record.number},
                  {"problem", one.problem},
                  {"key", to_base64(signer.value()->public_key())}};
        line["record"] = one.problem.empty()
                             ? Json::parse(encode_control(one.record), nullptr, false)
                             : Json(nullptr);
        line["envelope"] = Json::parse(stored[i].envelope, nullptr, false);
        out.text += dump(line) + "\n";
      }
      table.add({tenant.name, std::to_string(one.record.number), local_time(one.record.ran, zone),
                 one.record.on_demand ? "a person" : "the clock", std::to_string(one.record.missed),
                 one.problem.empty() ? "verified" : "NOT VERIFIED: " + one.problem,
                 one.problem.empty() ? control_sentence(one.record, zone) : "-"});
    }
  }
  if (options.json) return out;
  if (signer) {
    out.text =
        "Key of the controls (Ed25519, Base64): " + to_base64(signer.value()->public_key()) + "\n";
  }
  out.text += table.text();
  return out;
}

}  // namespace meldevakt::collector
