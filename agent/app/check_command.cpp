// `check`: one look at everything an agent needs, before it runs or beside it. Changes nothing.
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "agent/app/commands.h"
#include "agent/app/identity.h"
#include "agent/app/packs.h"
#include "agent/ship/collector_answers.h"
#include "agent/source/file_identity.h"
#include "agent/source/folder.h"
#include "agent/source/names.h"
#include "agent/source/system_journal.h"
#include "agent/state/schema.h"
#include "agent/state/state.h"
#include "common/crypto/crypto.h"
#include "common/platform/disk.h"
#include "common/platform/time_zones.h"

namespace meldevakt::agent {
namespace {

struct Item {
  bool good = true;
  std::string what;
  std::string detail;
};
using Items = std::vector<Item>;

void show_packs(const Packs& packs, Items& out) {
  for (const auto& [id, loaded] : packs) {
    if (loaded.origin == "built in") continue;
    out.push_back({true, "pack " + id, loaded.origin + ", all samples hold"});
  }
}

void check_file(const std::string& name, const std::string& path, Items& out) {
  if (is_compressed_name(path)) return;
  const auto stat = stat_path(path);
  if (stat && stat.value().directory && has_wildcard(name)) return;
  const auto file = OpenFile::open(path);
  out.push_back({file.has_value(), "source " + name,
                 path + ": " + (file ? "can be read" : file.error().message())});
}

void check_metrics(const SourceConfig& source, Items& out) {
  const HostMetricsConfig& metrics = source.metrics;
  const HostCounters now = read_host_counters(metrics.roots, metrics.groups);
  const std::string name = "source " + source.name;
  if (now.empty()) {
    out.push_back({false, name, metrics.roots.proc + ": holds none of the counters asked for"});
    return;
  }
  const bool stalls = now.cpu_stall.some || now.io_stall.some || now.memory_stall.some;
  out.push_back({true, name,
                 metrics.roots.proc + ": sampled every " + std::to_string(metrics.every.ms / 1000) +
                     " s" +
                     (stalls ? "" : "; this kernel has no pressure stall information (psi=1)")});
}

void check_journal(const SourceConfig& source, Items& out) {
  const std::string what = "source " + source.name;
  const auto journal = open_system_journal(source.journal_folder)();
  if (!journal) {
    out.push_back({false, what, journal.error().message()});
    return;
  }
  const JournalAccess access = journal.value()->access();
  if (!access.refused.empty()) {
    out.push_back({false, what,
                   access.refused + ": may not be read; add the agent's user to the group "
                                    "systemd-journal"});
  } else if (access.files == 0) {
    out.push_back({false, what, "there is no systemd journal here"});
  } else {
    out.push_back({true, what,
                   "the systemd journal can be read, " + std::to_string(access.files) + " files"});
  }
}

void check_source(const SourceConfig& source, Items& out) {
  if (source.kind == SourceKind::kMetrics) return check_metrics(source, out);
  if (source.kind == SourceKind::kJournal) {
    check_journal(source, out);
    return;
  }
  const Expansion found = expand(source.files);
  if (!found.problem.empty()) out.push_back({false, "source " + source.name, found.problem});
  if (found.paths.empty() && found.problem.empty()) {
    std::string globs;
    for (const std::string& glob : source.files) globs += (globs.empty() ? "" : ", ") + glob;
    out.push_back({false, "source " + source.name, "no file matches " + globs});
  }
  for (const std::string& path : found.paths) check_file(source.name, path, out);
}

void check_keys(const StateFiles& files, const TenantRow& tenant, Items& out) {
  const auto signer = load_signer(files.signing_key(tenant.files));
  out.push_back({signer.has_value(), "signing key",
                 signer ? files.signing_key(tenant.files) : signer.error().message()});
  const auto key = read_secret(files.tenant_key(tenant.id));
  if (key) {
    out.push_back({true, "tenant key", files.tenant_key(tenant.id)});
  } else if (key.error().code() == Errc::kNotFound) {
    out.push_back(
        {true, "tenant key", "not here: only portal message ids are sent, no other references"});
  } else {
    out.push_back({false, "tenant key", key.error().message()});
  }
}

Result<HeadAnswer> ask_collector(const Config& config, const StateFiles& files,
                                 const TenantRow& tenant) {
  const std::string& url = config.collector.empty() ? tenant.collector : config.collector;
  MELDEVAKT_TRY_ASSIGN(const Address address, parse_collector_url(url));
  MELDEVAKT_TRY_ASSIGN(const std::string authority,
                       read_file(files.authority(tenant.files), 64 * 1024));
  HttpsTransport::Settings settings;
  settings.collector = address;
  settings.authority_pem = authority;
  settings.certificate_file = files.tls_certificate(tenant.files);
  settings.key_file = files.tls_key(tenant.files);
  MELDEVAKT_TRY_ASSIGN(const auto transport, HttpsTransport::create(std::move(settings)));
  return get_head(*transport);
}

void check_shipping(const Config& config, const StateFiles& files, const TenantRow& tenant,
                    Items& out) {
  if (config.ship.mode == ShipMode::kCarry) {
    const bool writable = ::access(config.ship.carry_to.c_str(), W_OK | X_OK) == 0;
    const std::string why =
        errno == ENOENT ? ": is not there; make it, or mount it" : ": cannot be written to";
    out.push_back({writable, "carry folder", config.ship.carry_to + (writable ? "" : why)});
    return;
  }
  const auto head = ask_collector(config, files, tenant);
  const std::string& url = config.collector.empty() ? tenant.collector : config.collector;
  out.push_back(
      {head.has_value(), "collector",
       url + ": " +
           (head ? "answers, and has statements up to " + std::to_string(head.value().next_sequence)
                 : head.error().message())});
}

void check_state(const Config& config, Items& out) {
  const StateFiles files{config.state};
  auto db = open_state_for_reading(files.state());
  if (!db && db.error().code() == Errc::kNotFound) {
    out.push_back({false, "state",
                   config.state +
                       ": not enrolled; run: meldevakt-agent enroll "
                       "--config " +
                       config.path + " --invitation FILE"});
    return;
  }
  if (!db) {
    out.push_back({false, "state", db.error().message()});
    return;
  }
  const auto sound = check_integrity(db.value());
  out.push_back({sound.has_value(), "state",
                 files.state() + ": " + (sound ? "sound" : sound.error().message())});
  const auto tenants = read_tenants(db.value());
  if (!tenants) {
    out.push_back({false, "state", tenants.error().message()});
    return;
  }
  for (const TenantConfig& tenant : config.tenants) {
    const TenantRow* row = nullptr;
    for (const TenantRow& known : tenants.value()) {
      if (known.name == tenant.name || known.id == tenant.id) row = &known;
    }
    out.push_back({row != nullptr, "tenant " + tenant.name,
                   row != nullptr ? "enrolled as agent " + row->agent : "is not enrolled"});
    if (row == nullptr) continue;
    check_keys(files, *row, out);
    check_shipping(config, files, *row, out);
  }
}

void show(const Items& items, Format format) {
  for (const Item& item : items) {
    if (format == Format::kJson) {
      const nlohmann::ordered_json json{
          {"good", item.good}, {"what", item.what}, {"detail", item.detail}};
      print(json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
      continue;
    }
    std::string what = item.what;
    if (what.size() < 24) what.resize(24, ' ');
    print((item.good ? "ok    " : "LOOK  ") + what + " " + item.detail + "\n");
  }
}

}  // namespace

int run_check(const CommonOptions& options) {
  auto config = load_config(options.config);
  if (!config) return complain(config.error());
  auto packs = load_used_packs(config.value());
  if (!packs) return complain(packs.error());
  if (auto samples = check_pack_samples(packs.value()); !samples) {
    return complain(samples.error());
  }
  SystemTimeZones zones;
  if (auto sources = check_sources(config.value(), packs.value(), zones); !sources) {
    return complain(sources.error());
  }
  Items items;
  const Config::Budget& budget = config.value().budget;
  items.push_back({true, "configuration",
                   options.config + ": " + std::to_string(config.value().sources.size()) +
                       " source(s); budget: outbox " +
                       std::to_string(budget.outbox_bytes / 1'000'000) + " MB, memory " +
                       std::to_string(budget.memory_bytes / 1'000'000) + " MB, cpu " +
                       std::to_string(budget.cpu_percent) + " %"});
  show_packs(packs.value(), items);
  for (const SourceConfig& source : config.value().sources) check_source(source, items);
  check_state(config.value(), items);
  show(items, options.format);
  for (const Item& item : items) {
    if (!item.good) return kExitFindings;
  }
  return kExitDone;
}

}  // namespace meldevakt::agent
