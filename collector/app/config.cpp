#include "collector/app/config.h"

#include <algorithm>

#include "collector/app/toml_reader.h"
#include "common/base/text.h"
#include "common/platform/disk.h"
#include "common/platform/time_zones.h"

namespace meldevakt::collector {
namespace {

constexpr std::size_t kConfigBytesMax = 1024 * 1024;

std::optional<ListenAddress> parse_listen(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  std::string_view address = text.substr(0, colon);
  if (address.front() == '[' && address.back() == ']') {
    address = address.substr(1, address.size() - 2);
  } else if (address.find(':') != std::string_view::npos) {
    return std::nullopt;  // IPv6 without brackets: which colon is the last?
  }
  const std::optional<std::uint64_t> port = parse_u64(text.substr(colon + 1));
  if (address.empty() || !port || *port > 65'535) return std::nullopt;
  return ListenAddress{std::string(address), static_cast<std::uint16_t>(*port)};
}

void read_listen(TomlReader& reader, ListenAddress& into) {
  const std::optional<std::string> text = reader.text("listen");
  if (!text) return;
  if (const auto parsed = parse_listen(*text)) {
    into = *parsed;
    return;
  }
  reader.complain_at("listen",
                     "'listen' must be ADDRESS:PORT, e.g. \"127.0.0.1:8443\" or "
                     "\"[::]:8443\"; port 0 takes any free one");
}

// Agents tell something once a minute.
constexpr Duration kSilentAfterMin = minutes(2);

Status read_agents(const toml::table& table, const std::string& file, Config& config) {
  TomlReader reader{table, file, "[agents]"};
  read_listen(reader, config.agents);
  config.agents_url = reader.text("url").value_or("");
  constexpr std::string_view kScheme = "https://";
  const bool is_https = config.agents_url.rfind(kScheme, 0) == 0;
  const std::string_view authority =
      is_https ? std::string_view{config.agents_url}.substr(kScheme.size()) : std::string_view{};
  if (!config.agents_url.empty() &&
      (authority.empty() || authority.find('/') != std::string_view::npos)) {
    reader.complain_at("url", "'url' must be https://NAME:PORT and no more");
  }
  config.silent_after = reader.duration("silent_after").value_or(config.silent_after);
  if (config.silent_after < kSilentAfterMin) {
    reader.complain_at("silent_after", "'silent_after' must be at least two minutes, e.g. \"10m\"");
  }
  return reader.finish();
}

Status read_people(const toml::table& table, const std::string& file, Config& config) {
  TomlReader reader{table, file, "[people]"};
  read_listen(reader, config.people);
  return reader.finish();
}

Status read_policy(const toml::table& table, const std::string& file, Policy& policy) {
  TomlReader reader{table, file, "[policy]"};
  policy.grace = reader.duration("grace").value_or(policy.grace);
  policy.look_before = reader.duration("look_before").value_or(policy.look_before);
  policy.clock_error = reader.duration("clock_error").value_or(policy.clock_error);
  policy.nearby = reader.duration("nearby").value_or(policy.nearby);
  policy.confirm_within = reader.duration("confirm_within").value_or(policy.confirm_within);
  policy.post_within = reader.duration("post_within").value_or(policy.post_within);
  return reader.finish();
}

std::optional<ControlSchedule> parse_time_of_day(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hour = parse_u64(text.substr(0, 2));
  const auto minute = parse_u64(text.substr(3));
  if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
  return ControlSchedule{static_cast<int>(*hour), static_cast<int>(*minute)};
}

Status read_control(const toml::table& table, const std::string& file, ControlConfig& control) {
  TomlReader reader{table, file, "[control]"};
  if (const auto at = reader.text("at")) {
    if (const auto schedule = parse_time_of_day(*at)) {
      control.schedule = *schedule;
    } else {
      reader.complain_at("at", "'at' must be a time of day, e.g. \"06:00\"");
    }
  }
  control.zone = reader.text("zone").value_or(control.zone);
  SystemTimeZones zones;
  if (const auto zone = zones.find(control.zone); !zone) {
    reader.complain_at("zone", "[control] 'zone': " + zone.error().message());
  }
  control.look_back = reader.duration("look_back").value_or(control.look_back);
  if (control.look_back < days(1)) {
    reader.complain_at("look_back", "'look_back' must be at least a day, e.g. \"31d\"");
  }
  return reader.finish();
}

Status read_columns(const toml::table& table, const std::string& file, ColumnMapping& columns) {
  TomlReader reader{table, file, "columns of [[portal]]"};
  for (auto& [field, headings] : columns) {
    if (!reader.has(field)) {
      (void)reader.texts(field);  // known, though not given
      continue;
    }
    std::vector<std::string> given = reader.texts(field);
    if (given.empty()) reader.complain_at(field, "'" + field + "' needs at least one heading");
    headings = std::move(given);
  }
  return reader.finish();
}

Status read_portal(const toml::table& table, const std::string& file, Config& config) {
  TomlReader reader{table, file, "[[portal]]"};
  PortalConfig portal;
  portal.name = reader.text("name").value_or("");
  portal.zone = reader.text("zone").value_or(portal.zone);
  const toml::table* columns = reader.table("columns");
  if (portal.name.empty()) {
    reader.complain(table, "[[portal]] needs a 'name', e.g. \"npb\"");
  }
  for (const PortalConfig& other : config.portals) {
    if (other.name == portal.name) {
      reader.complain_at("name", "there are two portals named '" + portal.name + "'");
    }
  }
  SystemTimeZones zones;
  if (const auto zone = zones.find(portal.zone); !zone) {
    reader.complain_at("zone", "[[portal]] 'zone': " + zone.error().message());
  }
  MELDEVAKT_TRY(reader.finish());
  if (columns != nullptr) MELDEVAKT_TRY(read_columns(*columns, file, portal.columns));
  config.portals.push_back(std::move(portal));
  return {};
}

Status read_portals(TomlReader& root, Config& config) {
  const auto portals = root.tables("portal");
  if (portals.empty()) return {};
  config.portals.clear();
  for (const toml::table* table : portals) {
    MELDEVAKT_TRY(read_portal(*table, root.file(), config));
  }
  return {};
}

// Beside the rules that are public (deadlines.h): of one channel the newest is in force.
Status read_retention(const toml::table& table, const std::string& file, Policy& policy) {
  TomlReader reader{table, file, "[[retention]]"};
  RetentionRule rule;
  rule.channel = reader.text("channel").value_or("");
  const std::string sent_from = reader.text("sent_from").value_or("");
  const std::string keep = reader.text("keep").value_or("");
  const std::vector<std::string_view> channels{"", kSvarUtChannel, kManualChannel, kPrintChannel,
                                               kCaseSystemChannel};
  if (std::find(channels.begin(), channels.end(), rule.channel) == channels.end()) {
    reader.complain_at("channel",
                       "'channel' must be case_system, manual, print or svarut; left out, it is "
                       "every channel without a rule of its own");
  }
  const auto from = from_rfc3339(sent_from);
  if (from) {
    rule.sent_from = from.value();
  } else {
    reader.complain_at("sent_from",
                       "'sent_from' must say from when on sent messages are kept so long, e.g. "
                       "\"2023-06-02T12:30:00Z\"");
  }
  if (keep != "forever") {
    rule.keep = reader.duration("keep");
    if (!rule.keep || *rule.keep <= Duration{}) {
      reader.complain_at("keep",
                         "'keep' must be how long the portal keeps a message after its "
                         "receipt, e.g. \"30d\", or \"forever\"");
    }
  }
  MELDEVAKT_TRY(reader.finish());
  policy.retention.push_back(std::move(rule));
  return {};
}

Status read_retentions(TomlReader& root, Policy& policy) {
  for (const toml::table* table : root.tables("retention")) {
    MELDEVAKT_TRY(read_retention(*table, root.file(), policy));
  }
  return {};
}

void read_root(TomlReader& root, Config& config) {
  config.data = root.text("data").value_or("");
  config.names = root.texts("names");
  config.on_finding = root.text("on_finding").value_or("");
  if (!config.on_finding.empty() && config.on_finding.front() != '/') {
    root.complain_at("on_finding",
                     "'on_finding' must be the full path of a program; it is run directly, without "
                     "a shell or arguments");
  }
}

// After finish(): a misspelt key explains a missing one better than the other way round.
void require_root(TomlReader& root, const Config& config) {
  if (config.data.empty()) {
    root.complain(root.raw(),
                  "'data' is missing: the folder to keep everything in, e.g. data = "
                  "\"/var/lib/meldevakt-collector\"");
  }
  if (config.names.empty()) {
    root.complain(root.raw(),
                  "'names' is missing: how agents reach this machine, e.g. names = "
                  "[\"kollektor.example\"]");
  }
  const bool has_bad_name =
      std::any_of(config.names.begin(), config.names.end(), [](const std::string& name) {
        return name.empty() || name.find_first_of("/@ \t") != std::string::npos;
      });
  if (has_bad_name) {
    root.complain_at("names", "'names' must be plain DNS names or IP addresses");
  }
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<toml::table> parse_toml(std::string_view text, const std::string& path) {
  try {
    return toml::parse(text, path);
  } catch (const toml::parse_error& error) {
    return Error{Errc::kInvalid, path + ":" + std::to_string(error.source().begin.line) + ": " +
                                     std::string(error.description())};
  }
}

}  // namespace

Result<Config> parse_config(std::string_view text, const std::string& path) {
  MELDEVAKT_TRY_ASSIGN(const toml::table table, parse_toml(text, path));
  TomlReader root{table, path, "the file"};
  Config config;
  read_root(root, config);
  const toml::table* agents = root.table("agents");
  const toml::table* people = root.table("people");
  const toml::table* policy = root.table("policy");
  const toml::table* control = root.table("control");
  const Status portals = read_portals(root, config);
  const Status retentions = read_retentions(root, config.policy);
  MELDEVAKT_TRY(root.finish());
  require_root(root, config);
  MELDEVAKT_TRY(root.finish());
  if (agents != nullptr) MELDEVAKT_TRY(read_agents(*agents, path, config));
  if (people != nullptr) MELDEVAKT_TRY(read_people(*people, path, config));
  if (policy != nullptr) MELDEVAKT_TRY(read_policy(*policy, path, config.policy));
  if (control != nullptr) MELDEVAKT_TRY(read_control(*control, path, config.control));
  if (!portals) return portals.error();
  if (!retentions) return retentions.error();
  if (config.data.front() != '/') config.data = folder_of(path) + "/" + config.data;
  return config;
}

Result<Config> load_config(const std::string& path) {
  MELDEVAKT_TRY_ASSIGN(const std::string text, read_file(path, kConfigBytesMax));
  return parse_config(text, path);
}

}  // namespace meldevakt::collector
