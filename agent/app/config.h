// agent.toml: what an operator writes, checked strictly. An unknown key is an error with file, line
// and the nearest name; so is a value that cannot be meant. config_check.h checks it against packs
// and time zones.
//
//   MELDEVAKT_TRY_ASSIGN(Config config, load_config("/etc/meldevakt/agent.toml"));
//
// Errors: kInvalid, "agent.toml:12: ..."; kNotFound and kIo with the path.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/hold/hold.h"
#include "agent/recognise/metric_rule.h"
#include "agent/source/host_counters.h"
#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/time.h"

namespace meldevakt::agent {

// The shipped pack that cuts out the rows of a portal's CSV.
inline constexpr std::string_view kReceiptsPack = "portal-receipts";

inline constexpr std::size_t kConfigBytesMax = 1024 * 1024;

struct TenantConfig {
  std::string name;
  std::string organisation;  // nine digits, or ""
  std::string id;            // "" until enrolment sets it
  std::uint32_t line = 0;
};

// What a [[source]] reads; the configuration says it by the key it uses.
enum class SourceKind : std::uint8_t {
  kFiles,     // files = [...]
  kReceipts,  // receipts = [...]: files too, a portal's CSV
  kMetrics,   // metrics = [...]: this host's own
  kJournal,   // journal = [...]
  kEvents,    // files = [...] that end in ".evtx": copies of a Windows event log
};

// The keys of a source with metrics = [...].
struct HostMetricsConfig {
  HostGroups groups;
  Duration every = seconds(10);
  HostRoots roots;  // proc, cgroup, folders
};

struct SourceConfig {
  std::string name;
  SourceKind kind = SourceKind::kFiles;
  std::vector<std::string> files;        // globs
  std::vector<std::string> journal;      // units; see agent/source/journal_entry.h
  std::vector<std::string> identifiers;  // of the journal
  std::string journal_folder;            // "" = this host's own
  HostMetricsConfig metrics;
  MetricLimits limits;  // by metric of the pack, in place of the pack's own
  std::string pack;
  std::string zone;                                         // "" = the pack's
  std::string portal;                                       // receipts: as the collector calls it
  std::map<std::string, std::vector<std::string>> columns;  // receipts: field -> headings
  std::vector<std::string> organisations;  // receipts: the portal's ids of whose rows are taken
  std::string tenant;                      // name; "" = all
  std::optional<Duration> flush_lag;
  std::uint32_t line = 0;
  std::uint32_t pack_line = 0;
  std::uint32_t zone_line = 0;
  std::uint32_t limits_line = 0;
};

enum class ShipMode : std::uint8_t { kHttps, kCarry };

struct Config {
  std::string path;       // as given
  std::string file_name;  // without folder, for messages
  Sha256 digest;          // of the file's bytes
  std::string collector;  // "" = as the invitation says
  std::string state = "/var/lib/meldevakt-agent";
  Duration poll = milliseconds(100);
  std::vector<std::string> packs;
  std::uint32_t packs_line = 0;
  std::string on_finding;  // "" = none
  std::vector<TenantConfig> tenants;
  std::vector<SourceConfig> sources;
  struct Ship {
    Duration every = seconds(60);
    Duration facts_within = seconds(2);
    ShipMode mode = ShipMode::kHttps;
    std::string carry_to;
    Duration retry_max = seconds(60);
  } ship;
  std::string metrics_file;  // "" = none
  HoldSettings hold;
  Duration clock_error_max = seconds(2);
  struct Budget {
    std::uint64_t outbox_bytes = 256'000'000;
    std::uint64_t memory_bytes = 64'000'000;
    std::uint32_t cpu_percent = 2;  // of one core
  } budget;
};

[[nodiscard]] Result<Config> load_config(const std::string& path);
// What an operator runs to enrol that tenant.
[[nodiscard]] std::string enroll_command(const Config& config, const TenantConfig& tenant);
[[nodiscard]] Result<Config> parse_config(std::string_view text, const std::string& path);

// "256 MB", "64kB", "1 GB": powers of ten. kInvalid, saying what is understood.
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);

}  // namespace meldevakt::agent
