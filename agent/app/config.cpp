#include "agent/app/config.h"

#include <algorithm>
#include <cctype>

#include "agent/app/config_hold.h"
#include "agent/app/config_source.h"
#include "agent/app/config_table.h"
#include "agent/ship/https.h"
#include "common/base/limits.h"
#include "common/base/text.h"
#include "common/platform/disk.h"
#include "common/ports/sha256.h"

namespace meldevakt::agent {
namespace {

bool is_organisation_number(std::string_view text) {
  if (text.size() != 9 || !parse_u64(text)) return false;
  constexpr std::string_view weights = "32765432";
  int sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) sum += (text[i] - '0') * (weights[i] - '0');
  return (11 - sum % 11) % 11 == text[8] - '0';
}

TenantConfig read_tenant(const toml::table& table, Mistakes& mistakes) {
  ConfigTable in{table, "[[tenant]]", mistakes};
  TenantConfig out;
  out.line = in.line();
  out.name = in.required("name");
  out.organisation = in.text("organisation");
  if (!out.organisation.empty() && !is_organisation_number(out.organisation)) {
    in.mistake("organisation", "'" + quoted(out.organisation) +
                                   "' is no organisation number: nine "
                                   "digits of which the last is a check digit");
  }
  out.id = in.text("id");
  in.finish();
  return out;
}

void read_ship(const toml::table& table, Config& out, Mistakes& mistakes) {
  ConfigTable in{table, "[ship]", mistakes};
  const Duration least = milliseconds(100);
  out.ship.every = in.duration("every", least, minutes(5)).value_or(out.ship.every);
  out.ship.facts_within =
      in.duration("facts_within", least, minutes(1)).value_or(out.ship.facts_within);
  out.ship.retry_max = in.duration("retry_max", least, hours(1)).value_or(out.ship.retry_max);
  const std::string mode = in.text("mode", "https");
  if (mode == "carry") {
    out.ship.mode = ShipMode::kCarry;
  } else if (mode != "https") {
    in.mistake("mode", "'mode' in [ship] is \"https\" or \"carry\", not \"" + quoted(mode) + "\"");
  }
  out.ship.carry_to = in.text("carry_to");
  if (out.ship.mode == ShipMode::kCarry && out.ship.carry_to.empty()) {
    in.mistake("mode", "mode \"carry\" needs 'carry_to' in [ship]: the folder for the files");
  }
  in.finish();
}

std::uint64_t read_size(ConfigTable& in, std::string_view key, std::uint64_t otherwise,
                        std::uint64_t least) {
  const std::string text = in.text(key);
  if (text.empty()) return otherwise;
  const auto size = parse_size(text);
  if (!size) {
    in.mistake(key, "'" + std::string{key} + "' in [budget]: " + size.error().message());
    return otherwise;
  }
  if (size.value() < least) {
    in.mistake(key, "'" + std::string{key} + "' in [budget] must be at least " +
                        std::to_string(least / 1'000'000) + " MB");
    return otherwise;
  }
  return size.value();
}

void read_budget(const toml::table& table, Config& out, Mistakes& mistakes) {
  ConfigTable in{table, "[budget]", mistakes};
  out.budget.outbox_bytes = read_size(in, "outbox", out.budget.outbox_bytes, 1'000'000);
  out.budget.memory_bytes = read_size(in, "memory", out.budget.memory_bytes, 16'000'000);
  std::string cpu = in.text("cpu", "2 %");
  const std::string given = cpu;
  const bool has_sign = !cpu.empty() && cpu.back() == '%';
  if (has_sign) cpu.pop_back();
  while (!cpu.empty() && cpu.back() == ' ') cpu.pop_back();
  const auto percent = parse_u64(cpu);
  if (!has_sign || !percent || *percent == 0 || *percent > 100) {
    in.mistake("cpu", "'cpu' in [budget] must be \"1 %\" to \"100 %\" of one core, not \"" +
                          quoted(given) + "\"");
  } else {
    out.budget.cpu_percent = static_cast<std::uint32_t>(*percent);
  }
  in.finish();
}

void read_metrics(const toml::table& table, Config& out, Mistakes& mistakes) {
  ConfigTable in{table, "[metrics]", mistakes};
  out.metrics_file = in.required("file");
  if (in.has("file") && (out.metrics_file.empty() || out.metrics_file.front() != '/' ||
                         out.metrics_file.back() == '/')) {
    in.mistake("file",
               "'file' in [metrics] must be the full path of a file, e.g. "
               "\"/var/lib/prometheus/node-exporter/meldevakt-agent.prom\"");
  }
  in.finish();
}

void check_names(const Config& config, Mistakes& mistakes) {
  std::vector<std::string> tenants;
  for (const TenantConfig& tenant : config.tenants) {
    if (std::find(tenants.begin(), tenants.end(), tenant.name) != tenants.end()) {
      mistakes.add(tenant.line, "a second [[tenant]] named '" + quoted(tenant.name) + "'");
    }
    tenants.push_back(tenant.name);
  }
  std::vector<std::string> sources;
  for (const SourceConfig& source : config.sources) {
    if (std::find(sources.begin(), sources.end(), source.name) != sources.end()) {
      mistakes.add(source.line, "a second [[source]] named '" + quoted(source.name) + "'");
    }
    sources.push_back(source.name);
    // A list of one municipality's messages, told to another, would say that it has no others.
    if (source.kind == SourceKind::kReceipts && source.tenant.empty() && tenants.size() > 1) {
      mistakes.add(source.line, "[[source]] '" + quoted(source.name) +
                                    "' reads a portal's list, which is one tenant's: write "
                                    "tenant = \"...\" in it");
    }
    if (!source.tenant.empty() &&
        std::find(tenants.begin(), tenants.end(), source.tenant) == tenants.end()) {
      std::string what = "[[source]] '" + quoted(source.name) + "' names the tenant '" +
                         quoted(source.tenant) + "', and there is no such [[tenant]]";
      if (const auto near = nearest_name(source.tenant, tenants)) {
        what += "; did you mean '" + *near + "'?";
      }
      mistakes.add(source.line, what);
    }
  }
}

Result<Config> read(const toml::table& table, Config out) {
  Mistakes mistakes{out.file_name};
  ConfigTable in{table, "the file", mistakes};
  out.collector = in.text("collector");
  if (!out.collector.empty()) {
    if (auto address = parse_collector_url(out.collector); !address) {
      in.mistake("collector", "'collector': " + address.error().message());
    }
  }
  out.state = in.text("state", out.state);
  out.poll = in.duration("poll", milliseconds(10), seconds(10)).value_or(out.poll);
  out.packs = in.texts("packs");
  out.packs_line = in.line_of("packs");
  out.on_finding = in.text("on_finding");
  if (!out.on_finding.empty() && out.on_finding.front() != '/') {
    in.mistake("on_finding",
               "'on_finding' must be the full path of a program; it is run directly, "
               "not by a shell");
  }
  for (const toml::table* one : in.tables("tenant")) {
    out.tenants.push_back(read_tenant(*one, mistakes));
  }
  for (const toml::table* one : in.tables("source")) {
    out.sources.push_back(read_source_config(*one, mistakes));
  }
  if (const toml::table* ship = in.table("ship")) read_ship(*ship, out, mistakes);
  if (const toml::table* clock = in.table("clock")) {
    ConfigTable sub{*clock, "[clock]", mistakes};
    out.clock_error_max =
        sub.duration("error_max", milliseconds(0), hours(1)).value_or(out.clock_error_max);
    sub.finish();
  }
  if (const toml::table* hold = in.table("hold")) read_hold_config(*hold, out.hold, mistakes);
  if (const toml::table* budget = in.table("budget")) read_budget(*budget, out, mistakes);
  if (const toml::table* metrics = in.table("metrics")) read_metrics(*metrics, out, mistakes);
  in.finish();
  check_names(out, mistakes);
  if (out.sources.size() > limits::kSourcesPerAgentMax) {
    mistakes.add(out.sources[limits::kSourcesPerAgentMax].line,
                 "more than " + std::to_string(limits::kSourcesPerAgentMax) + " sources");
  }
  MELDEVAKT_TRY(mistakes.status());
  if (out.tenants.empty()) {
    return Error{Errc::kInvalid, out.file_name + ": a [[tenant]] with a name is needed"};
  }
  if (out.sources.empty()) {
    return Error{Errc::kInvalid,
                 out.file_name + ": a [[source]] is needed; there is nothing to read"};
  }
  return out;
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  const Error expected{Errc::kInvalid, "'" + quoted(text) +
                                           "' is not understood; write a number and kB, MB or GB, "
                                           "e.g. \"256 MB\""};
  std::size_t digits = 0;
  while (digits < text.size() && std::isdigit(static_cast<unsigned char>(text[digits])) != 0) {
    ++digits;
  }
  const auto number = parse_u64(text.substr(0, digits));
  std::string_view unit = text.substr(digits);
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  std::uint64_t factor = 0;
  if (unit == "kB" || unit == "KB") factor = 1'000;
  if (unit == "MB") factor = 1'000'000;
  if (unit == "GB") factor = 1'000'000'000;
  if (!number || factor == 0 || *number > 1'000'000) return expected;
  return *number * factor;
}

Result<Config> load_config(const std::string& path) {
  const Result<std::string> text = read_file(path, kConfigBytesMax);
  if (!text && text.error().code() == Errc::kNotFound) {
    return Error{Errc::kNotFound, text.error().message() + "; --config FILE names another"};
  }
  if (!text) return text.error();
  return parse_config(text.value(), path);
}

std::string enroll_command(const Config& config, const TenantConfig& tenant) {
  std::string command = "meldevakt-agent enroll --config " + config.path + " --invitation FILE";
  if (config.tenants.size() > 1) command += " --tenant '" + tenant.name + "'";
  return command;
}

Result<Config> parse_config(std::string_view text, const std::string& path) {
  Config out;
  out.path = path;
  out.file_name = path.substr(path.rfind('/') == std::string::npos ? 0 : path.rfind('/') + 1);
  out.digest = sha256(text);
  try {
    const toml::table table = toml::parse(text, path);
    return read(table, std::move(out));
  } catch (const toml::parse_error& e) {
    return Error{Errc::kInvalid, out.file_name + ":" + std::to_string(e.source().begin.line) +
                                     ": " + quoted(e.description(), 200)};
  }
}

}  // namespace meldevakt::agent
