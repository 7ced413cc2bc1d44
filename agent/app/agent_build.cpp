// From the committed state to running lanes. The same way at a start, after a kill and after a
// failed commit: recovery is not a second path.
#include <algorithm>
#include <cstdlib>
#include <utility>

#include "agent/app/agent_core.h"
#include "agent/app/agent_status.h"
#include "agent/app/clock_claim.h"
#include "agent/app/source_readers.h"

namespace meldevakt::agent {
namespace {

const TenantConfig* config_of(const Config& config, const TenantRow& row) {
  for (const TenantConfig& tenant : config.tenants) {
    if (tenant.id.empty() ? tenant.name == row.name : tenant.id == row.id) return &tenant;
  }
  return nullptr;
}

const PipelineRow* pipeline_row(const State::Loaded& loaded, const std::string& tenant,
                                const std::string& source) {
  for (const PipelineRow& row : loaded.pipelines) {
    if (row.tenant == tenant && row.source == source) return &row;
  }
  return nullptr;
}

bool observes_commits(const Config& config, const Packs& packs, const std::string& tenant_name) {
  return std::any_of(config.sources.begin(), config.sources.end(), [&](const SourceConfig& source) {
    if (!source.tenant.empty() && source.tenant != tenant_name) return false;
    if (source.kind == SourceKind::kReceipts) return false;
    const std::vector<Signal>& observes = packs.at(source.pack).pack->observes;
    return std::find(observes.begin(), observes.end(), Signal::kMessageCommitted) != observes.end();
  });
}

Error not_enrolled(const Config& config, const TenantConfig& tenant) {
  return {Errc::kInvalid, "the tenant '" + tenant.name +
                              "' is not enrolled; run: " + enroll_command(config, tenant)};
}

}  // namespace

Status Agent::build() {
  auto core = std::make_unique<Core>();
  const std::string uri = parts_.state_uri.empty() ? parts_.files.state() : parts_.state_uri;
  MELDEVAKT_TRY_ASSIGN(core->state,
                       State::open(uri, {.outbox_bytes_max = parts_.config.budget.outbox_bytes}));
  std::vector<std::string> names;
  for (const SourceConfig& source : parts_.config.sources) names.push_back(source.name);
  MELDEVAKT_TRY(core->state->keep_sources(names));
  MELDEVAKT_TRY_ASSIGN(State::Loaded loaded, core->state->load());
  MELDEVAKT_TRY(build_tenants(*core, loaded));

  Instant newest;
  for (const auto& tenant : core->tenants) newest = std::max(newest, tenant->from());
  core->time.emplace(parts_.clock, newest);
  MELDEVAKT_TRY(build_sources(*core, loaded));
  build_holds(*core, loaded);
  MELDEVAKT_TRY(shipping_.restart(*core->state));
  core->change.now = core->time->now();
  core_ = std::move(core);
  tell(loaded.untold);
  MELDEVAKT_TRY_ASSIGN(const std::vector<FindingRow> ungiven,
                       core_->state->ungiven(kFindingsWaitingMax + 1));
  give(ungiven);
  return {};
}

Status Agent::build_tenants(Core& core, State::Loaded& loaded) {
  for (const TenantConfig& tenant : parts_.config.tenants) {
    const bool enrolled =
        std::any_of(loaded.tenants.begin(), loaded.tenants.end(),
                    [&](const TenantRow& row) { return config_of(parts_.config, row) == &tenant; });
    if (!enrolled) return not_enrolled(parts_.config, tenant);
  }
  for (TenantRow& row : loaded.tenants) {
    const TenantConfig* tenant = config_of(parts_.config, row);
    if (tenant == nullptr) continue;  // taken out of the configuration: its outbox stays
    MELDEVAKT_TRY_ASSIGN(TenantKeys keys, load_tenant_keys(parts_.files, row, parts_.random));
    const LifeTracker::Settings settings{
        .commits_are_observed = observes_commits(parts_.config, parts_.packs, tenant->name)};
    LifeTracker lives{settings};
    if (!row.lives.empty()) {
      auto restored = LifeTracker::restore(settings, row.lives);
      if (restored) {
        lives = std::move(restored).value();
      } else {
        parts_.log.warn("the lives of messages from before cannot be read and begin anew: " +
                        restored.error().message());
      }
    }
    row.lives.clear();
    MELDEVAKT_TRY_ASSIGN(const auto acknowledged, core.state->last_acknowledged(row.id));
    if (acknowledged) last_acknowledged_[row.id] = *acknowledged;
    if (!shipping_.has(row.id)) {
      MELDEVAKT_TRY_ASSIGN(auto dispatcher, parts_.dispatcher(row));
      shipping_.add(row.id, row.agent, std::move(dispatcher));
    }
    core.tenants.push_back(
        std::make_unique<TenantLane>(std::move(row), std::move(keys), std::move(lives)));
  }
  return {};
}

Status Agent::build_sources(Core& core, State::Loaded& loaded) {
  for (const SourceConfig& source : parts_.config.sources) {
    MELDEVAKT_TRY(build_source(core, loaded, source));
  }
  return {};
}

Status Agent::build_source(Core& core, State::Loaded& loaded, const SourceConfig& config) {
  const std::shared_ptr<const Pack>& pack = parts_.packs.at(config.pack).pack;
  MELDEVAKT_TRY_ASSIGN(const std::shared_ptr<const TimeZone> zone,
                       parts_.zones.find(zone_of(config, *pack)));
  const Duration clock_error =
      known_clock_error(parts_.clock_quality(), parts_.config.clock_error_max);
  std::vector<SourceLane::Branch> restored;
  std::vector<SourceLane::Branch> fresh;
  bool all_restored = true;
  bool read_before = loaded.files.contains(config.name);
  for (const auto& tenant : core.tenants) {
    const TenantConfig* named = config_of(parts_.config, tenant->row());
    if (!config.tenant.empty() && named->name != config.tenant) continue;
    SourcePipeline::Settings settings;
    settings.name = config.name;
    settings.pack = pack;
    settings.zone = zone;
    settings.tenant_key = tenant->keys().tenant_key;
    settings.fact_key = tenant->keys().fact_key;
    settings.flush_lag = config.flush_lag.value_or(pack->flush_lag);
    settings.clock_error = clock_error;
    settings.kind = kind_of(config.kind);
    settings.shared = config.tenant.empty() && core.tenants.size() > 1;
    settings.metric_limits = config.limits;
    if (config.kind == SourceKind::kReceipts) {
      settings.receipts = ReceiptSettings{config.portal,
                                          config.columns,
                                          zone,
                                          {.organisations = config.organisations, .others = {}}};
    }
    fresh.push_back({tenant->row().id, SourcePipeline{settings, tenant->from()}});
    const PipelineRow* row = pipeline_row(loaded, tenant->row().id, config.name);
    read_before = read_before || row != nullptr;
    if (row == nullptr) {
      all_restored = false;
      continue;
    }
    auto pipeline = SourcePipeline::restore(settings, row->snapshot, core.time->now());
    if (pipeline) {
      restored.push_back({tenant->row().id, std::move(pipeline).value()});
    } else {
      parts_.log.warn("source=" + config.name +
                      " is read again from its start; ids of facts stay "
                      "the same: " +
                      pipeline.error().message());
      all_restored = false;
    }
  }
  std::vector<KnownFile> files = std::move(loaded.files[config.name]);
  if (!all_restored && read_before) {
    MELDEVAKT_TRY(core.state->start_over(config.name));
    std::erase_if(files, [](const KnownFile& f) { return f.state == FileState::kReading; });
  }
  core.sources.push_back(std::make_unique<SourceLane>(
      config.name, make_source_reader(config, std::move(files), read_before),
      all_restored ? std::move(restored) : std::move(fresh),
      rotation_of(loaded.status[std::string{kAgentTopic}].json, config.name)));
  return {};
}

}  // namespace meldevakt::agent
