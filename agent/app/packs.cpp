#include "agent/app/packs.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "agent/recognise/metric_watch.h"
#include "agent/recognise/pack_abilities.h"
#include "agent/rules/shipped_packs.h"
#include "agent/source/file_identity.h"
#include "agent/source/folder.h"
#include "agent/source/names.h"
#include "agent/summarise/statement_builder.h"
#include "common/base/limits.h"
#include "common/base/text.h"
#include "common/platform/disk.h"

namespace meldevakt::agent {
namespace {

constexpr std::string_view kBuiltIn = "built in";
constexpr std::string_view kPackEnding = ".rules.toml";
constexpr std::string_view kSharedEnding = ".shared.toml";

bool is_pack_name(std::string_view name) {
  return name.size() > kPackEnding.size() &&
         name.substr(name.size() - kPackEnding.size()) == kPackEnding;
}

Result<std::vector<std::string>> pack_files(const std::string& path) {
  const auto stat = stat_path(path);
  if (!stat) return Error{stat.error().code(), path + ": " + stat.error().message()};
  if (!stat.value().directory) return std::vector<std::string>{path};
  const Listing listing = list_folder(path);
  if (!listing.listed) return Error{Errc::kIo, path + ": " + listing.problem};
  std::vector<std::string> out;
  for (const std::string& name : listing.names) {
    if (is_pack_name(name)) out.push_back(joined(path, name));
  }
  std::sort(out.begin(), out.end());
  return out;
}

// A shipped pack is called as its file is; a test holds that.
std::string_view id_of(const ShippedPack& shipped) {
  return shipped.file_name.substr(0, shipped.file_name.size() - kPackEnding.size());
}

// Of everything that a source could name: those that are loaded, and those that are built in.
std::vector<std::string> ids_of(const Packs& packs) {
  std::set<std::string> out;
  for (const auto& [id, pack] : packs) out.insert(id);
  for (const ShippedPack& shipped : shipped_packs()) out.emplace(id_of(shipped));
  return {out.begin(), out.end()};
}

// Rules that a pack includes: beside it, or built in. `folder`: "" for a pack that is built in.
FindSharedRules shared_rules_in(const std::string& folder) {
  return [folder](std::string_view name) -> std::optional<SharedRules> {
    const std::string file_name = std::string{name} + std::string{kSharedEnding};
    if (!folder.empty()) {
      const std::string path = joined(folder, file_name);
      if (auto text = read_file(path, kPackBytesMax))
        return SharedRules{std::move(text).value(), path};
    }
    const auto shipped = find_shipped_shared_rules(name);
    if (!shipped) return std::nullopt;
    return SharedRules{std::string{shipped->text}, std::string{shipped->file_name}};
  };
}

}  // namespace

Result<LoadedPack> load_pack_file(const std::string& path) {
  MELDEVAKT_TRY_ASSIGN(const std::string text, read_file(path, kPackBytesMax));
  MELDEVAKT_TRY_ASSIGN(const std::shared_ptr<const Pack> pack,
                       load_pack(text, path, shared_rules_in(std::string{folder_of(path)})));
  return LoadedPack{pack, path};
}

namespace {

using WantedPack = std::function<bool(std::string_view id)>;

Result<Packs> built_in_packs(const WantedPack& wanted) {
  Packs out;
  for (const ShippedPack& shipped : shipped_packs()) {
    if (!wanted(id_of(shipped))) continue;
    MELDEVAKT_TRY_ASSIGN(const std::shared_ptr<const Pack> pack,
                         load_pack(shipped.text, shipped.file_name, shared_rules_in("")));
    out[pack->identity.id] = {pack, std::string{kBuiltIn}};
  }
  return out;
}

Result<Packs> load_packs(const Config& config, const WantedPack& wanted) {
  MELDEVAKT_TRY_ASSIGN(Packs out, built_in_packs(wanted));
  const auto at = [&] { return config.file_name + ":" + std::to_string(config.packs_line) + ": "; };
  Packs own;
  for (const std::string& path : config.packs) {
    auto files = pack_files(path);
    if (!files) return Error{Errc::kInvalid, at() + "'packs': " + files.error().message()};
    for (const std::string& file : files.value()) {
      MELDEVAKT_TRY_ASSIGN(const LoadedPack pack, load_pack_file(file));
      const std::string id = pack.pack->identity.id;
      if (own.contains(id)) {
        std::string what = at();
        what.append("the pack '").append(id).append("' is there twice: ");
        what.append(own[id].origin).append(" and ").append(file);
        return Error{Errc::kInvalid, std::move(what)};
      }
      own[id] = pack;
    }
  }
  for (const auto& [id, pack] : own) out[id] = pack;
  return out;
}

}  // namespace

Result<Packs> built_in_packs() {
  return built_in_packs([](std::string_view) { return true; });
}

Result<Packs> load_packs(const Config& config) {
  return load_packs(config, [](std::string_view) { return true; });
}

Result<Packs> load_used_packs(const Config& config) {
  return load_packs(config, [&](std::string_view id) {
    return std::any_of(config.sources.begin(), config.sources.end(),
                       [&](const SourceConfig& source) { return source.pack == id; });
  });
}

Status check_pack_samples(const Packs& packs) {
  for (const auto& [id, loaded] : packs) {
    if (loaded.origin == kBuiltIn) continue;
    const std::vector<SampleFailure> failures = check_samples(*loaded.pack);
    if (failures.empty()) continue;
    std::string what = failures.front().message;
    if (failures.size() > 1) {
      what += " (and " + std::to_string(failures.size() - 1) + " more samples)";
    }
    return Error{Errc::kInvalid, what + "; the pack is not used until its samples hold: " +
                                     "meldevakt-agent rules test " + loaded.origin};
  }
  return {};
}

std::string zone_of(const SourceConfig& source, const Pack& pack) {
  if (!source.zone.empty()) return source.zone;
  return pack.default_zone.empty() ? "UTC" : pack.default_zone;
}

namespace {

SourceCoverage bare_coverage(const SourceConfig& source, const Pack& pack) {
  SourceCoverage out;
  out.id = source.name;
  out.kind = "receipts";  // the longest there is
  out.pack = pack.identity;
  for (const Signal signal : pack.observes) out.observes.push_back({signal, {}});
  out.names = names_of_messages(pack);
  return out;
}

// That what a tenant's sources have to say each time fits into one statement.
Status check_statement_room(const Config& config, const Packs& packs) {
  for (const TenantConfig& tenant : config.tenants) {
    std::vector<SourceCoverage> sources;
    for (const SourceConfig& source : config.sources) {
      if (!source.tenant.empty() && source.tenant != tenant.name) continue;
      sources.push_back(bare_coverage(source, *packs.at(source.pack).pack));
    }
    const std::size_t needed = statement_bytes_needed(sources);
    if (needed <= limits::kStatementBytesMax) continue;
    return Error{Errc::kInvalid,
                 config.file_name + ": the " + std::to_string(sources.size()) +
                     " sources of the tenant '" + quoted(tenant.name) +
                     "' and the signals that their packs observe need statements of " +
                     std::to_string(needed) + " bytes, at most " +
                     std::to_string(limits::kStatementBytesMax) +
                     " are allowed: let sources of one pack share one [[source]] (several globs), "
                     "or let a second agent watch some"};
  }
  return {};
}

}  // namespace

Status check_sources(const Config& config, const Packs& packs, TimeZones& zones) {
  for (const SourceConfig& source : config.sources) {
    const auto found = packs.find(source.pack);
    if (found == packs.end()) {
      std::string what = config.file_name + ":" + std::to_string(source.pack_line) +
                         ": there is no pack '" + quoted(source.pack) + "'";
      if (const auto near = nearest_name(source.pack, ids_of(packs))) {
        what += "; did you mean '" + *near + "'?";
      } else {
        what += "; there are";
        for (const std::string& id : ids_of(packs)) what += " '" + id + "'";
      }
      return Error{Errc::kInvalid, what};
    }
    const std::vector<std::string> metrics = metric_names(*found->second.pack);
    for (const auto& [name, limit] : source.limits) {
      if (std::find(metrics.begin(), metrics.end(), name) != metrics.end()) continue;
      const auto near = nearest_name(name, metrics);
      return Error{Errc::kInvalid, config.file_name + ":" + std::to_string(source.limits_line) +
                                       ": the pack '" + source.pack + "' has no metric '" +
                                       quoted(name) + "'" +
                                       (near ? "; did you mean '" + *near + "'?" : "")};
    }
    const auto zone = zones.find(zone_of(source, *found->second.pack));
    if (!zone) {
      return Error{Errc::kInvalid, config.file_name + ":" + std::to_string(source.zone_line) +
                                       ": 'zone': " + zone.error().message()};
    }
  }
  return check_statement_room(config, packs);
}

}  // namespace meldevakt::agent
