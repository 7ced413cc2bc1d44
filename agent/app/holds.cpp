// The log hold's place in the agent's loop: built from the state, told of findings in the
// transaction that stores them.
#include <algorithm>
#include <utility>

#include "agent/app/agent_core.h"
#include "agent/app/hold_folder.h"
#include "agent/app/hold_keys.h"

namespace meldevakt::agent {
namespace {

// The last bytes of all sources together that are at hand when their file was truncated meanwhile.
constexpr std::size_t kRecentBytesMax = 2 * 1024 * 1024;
constexpr std::size_t kRecentBytesMin = 64 * 1024;  // of one source

}  // namespace

void Agent::build_holds(Core& core, State::Loaded& loaded) {
  if (!parts_.config.hold.enabled) return;
  core.hold_disk = std::make_unique<FolderHoldDisk>(parts_.files.holds());
  HoldKeeper::Parts parts{
      .settings = parts_.config.hold,
      .disk = *core.hold_disk,
      .random = parts_.random,
      .public_key =
          [this](const std::string& tenant) { return hold_public_key(parts_.files, tenant); },
      .tenants = {},
      .software = parts_.software_version,
      .say =
          [this](bool error, const std::string& text) {
            parts_.log.write(error ? LogLevel::kError : LogLevel::kInfo, text);
          }};
  for (const auto& tenant : core.tenants) {
    parts.tenants[tenant->row().id] = {tenant->row().agent, tenant->keys().signer.get()};
  }
  std::vector<HeldSource*> sources;
  const std::size_t recent =
      std::max(kRecentBytesMin, kRecentBytesMax / std::max<std::size_t>(core.sources.size(), 1));
  for (std::size_t i = 0; i < core.sources.size(); ++i) {
    const PackIdentity& pack = parts_.packs.at(parts_.config.sources[i].pack).pack->identity;
    core.sources[i]->remember(recent, loaded.holds.marks[core.sources[i]->name()],
                              pack.id + " " + pack.version + " " + pack.sha256.hex());
    sources.push_back(core.sources[i].get());
  }
  core.holds = std::make_unique<HoldKeeper>(std::move(parts), std::move(loaded.holds.holds),
                                            std::move(loaded.holds.parts), std::move(sources));
}

void Agent::note_holds(Core& core) {
  HoldChange& change = core.change.hold;
  if (core.holds) {
    for (const auto& [tenant, finding] : change.wanted) {
      core.holds->found(tenant, finding, core.change.now);
    }
    for (const FindingRow& row : core.change.findings) {
      core.holds->found(row.tenant,
                        {row.id, std::string{to_string(row.finding.kind)}, row.finding.time,
                         row.finding.source, row.finding.code},
                        core.change.now);
    }
    core.holds->take_changes(change);
  }
  change.wanted.clear();
}

}  // namespace meldevakt::agent
