// `check`, what is read: every source's files, and what all of them together cannot show.
#include <algorithm>
#include <set>
#include <utility>

#include "agent/app/blind_spots.h"
#include "agent/app/check_items.h"
#include "agent/source/file_identity.h"
#include "agent/source/folder.h"
#include "agent/source/names.h"
#include "agent/source/system_journal.h"
#include "common/platform/clock.h"

namespace meldevakt::agent {
namespace {

void check_file(const std::string& name, const std::string& path, CheckItems& out) {
  if (is_compressed_name(path)) return;
  const auto stat = stat_path(path);
  if (stat && stat.value().directory && has_wildcard(name)) return;
  const auto file = OpenFile::open(path);
  out.push_back({file.has_value(), "source " + name,
                 path + ": " + (file ? "can be read" : file.error().message())});
}

void check_metrics(const SourceConfig& source, CheckItems& out) {
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

void check_journal(const SourceConfig& source, CheckItems& out) {
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

void check_source(const SourceConfig& source, CheckItems& out) {
  if (source.kind == SourceKind::kMetrics) return check_metrics(source, out);
  if (source.kind == SourceKind::kJournal) return check_journal(source, out);
  const Expansion found = expand(source.files);
  if (!found.problem.empty()) out.push_back({false, "source " + source.name, found.problem});
  if (found.paths.empty() && found.problem.empty()) {
    std::string globs;
    for (const std::string& glob : source.files) globs += (globs.empty() ? "" : ", ") + glob;
    out.push_back({false, "source " + source.name, "no file matches " + globs});
  }
  for (const std::string& path : found.paths) check_file(source.name, path, out);
}

bool is_rotated_of(std::string_view name, const std::set<std::string>& live) {
  const std::string_view plain = uncompressed_name(name);
  if (plain.size() != name.size() && live.contains(std::string{plain})) return true;
  const std::vector<std::string> of = rotated_from(plain);
  return std::any_of(of.begin(), of.end(),
                     [&](const std::string& one) { return live.contains(one); });
}

// When each rotated file, in the globs or beside them, was last written; oldest first. A file of
// the globs is rotated when a newer one of them is there.
std::vector<std::int64_t> rotated_times(const Expansion& found) {
  std::vector<std::int64_t> times;
  const auto add = [&](const std::string& path) {
    const auto stat = stat_path(path);
    if (stat && stat.value().regular) times.push_back(stat.value().modified_ns / 1'000'000);
  };
  for (const std::string& path : found.paths) add(path);
  for (const std::string& folder : found.folders) {
    std::set<std::string> live;
    for (const std::string& path : found.paths) {
      if (folder_of(path) == folder) live.emplace(name_of(path));
    }
    for (const std::string& name : list_folder(folder).names) {
      if (!live.contains(name) && is_rotated_of(name, live)) add(joined(folder, name));
    }
  }
  std::sort(times.begin(), times.end());
  if (!times.empty()) times.pop_back();  // the newest is being written
  return times;
}

void look_at_disk(const SourceConfig& source, Instant now, SourceSight& sight) {
  if (!sight.is_files) return;
  const Expansion found = expand(source.files);
  sight.has_files = !found.paths.empty();
  const std::vector<std::int64_t> times = rotated_times(found);
  if (times.empty()) return;
  sight.oldest_age = std::max(Duration{}, now - Instant{times.front()});
  if (times.size() >= 2) {
    const auto gaps = static_cast<std::int64_t>(times.size() - 1);
    sight.rotated_every = Duration{(times.back() - times.front()) / gaps};
  }
}

}  // namespace

void check_source_files(const Config& config, CheckItems& out) {
  for (const SourceConfig& source : config.sources) check_source(source, out);
}

void look_for_blind_spots(const Config& config, const Packs& packs, CheckItems& out) {
  SystemClock clock;
  AgentSight sight;
  sight.tenants = config.tenants.size();
  for (const SourceConfig& source : config.sources) {
    const Pack& pack = *packs.at(source.pack).pack;
    sight.sources.push_back(sight_of(source, pack, zone_of(source, pack)));
    look_at_disk(source, clock.now(), sight.sources.back());
  }
  sight.tenants_without_key = tenants_without_key(config);
  sight.clock_is_synchronised = clock_quality().synchronised;
  sight.clock_error_max = config.clock_error_max;
  for (BlindSpot& spot : blind_spots(sight)) {
    out.emplace_back(CheckItem::Kind::kBlindSpot, std::move(spot.what), std::move(spot.detail),
                     std::move(spot.remedy));
  }
}

}  // namespace meldevakt::agent
