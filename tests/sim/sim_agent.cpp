#include "tests/sim/sim_agent.h"

#include <utility>

#include "agent/app/clock_claim.h"
#include "common/crypto/crypto.h"
#include "common/ports/sha256.h"
#include "common/seal/dsse.h"

namespace meldevakt::sim {
namespace {

constexpr std::size_t kReadAtOnce = 64 * 1024 * 1024;
constexpr std::int64_t kClockErrorUs = 1500;

std::string secret(std::string_view what, std::uint64_t seed) {
  return std::string{sha256(std::string{what} + std::to_string(seed)).view()};
}

std::string_view pack_of(std::string_view source) {
  if (source == kTraceSource) return "familia-like";
  return source == kBackupSource ? "veeam-syslog" : "postgresql-stderr";
}

}  // namespace

agent::Config agent_config(Duration seal_every, const std::vector<std::string_view>& sources) {
  agent::Config config;
  config.ship.every = seal_every;
  for (const std::string_view name : sources) {
    agent::SourceConfig source;
    source.name = name;
    source.pack = pack_of(name);
    source.zone = "Europe/Oslo";
    config.sources.push_back(std::move(source));
  }
  config.digest = sha256("simulated");
  return config;
}

SimAgent::SimAgent(Parts parts, Instant now)
    : parts_{std::move(parts)},
      random_{parts_.seed ^ 0xa9e},
      clock_{parts_.clock.host_time(now)},
      log_{clock_, [](std::string_view) {}} {}

Result<std::unique_ptr<SimAgent>> SimAgent::enrol(Parts parts, Instant now) {
  std::unique_ptr<SimAgent> out{new SimAgent{std::move(parts), now}};
  const Instant host = out->parts_.clock.host_time(now);
  MELDEVAKT_TRY(out->make_identity(host));
  MELDEVAKT_TRY(out->build({}, "", host));
  return out;
}

Status SimAgent::make_identity(Instant now) {
  MELDEVAKT_TRY_ASSIGN(const std::unique_ptr<Signer> signer,
                       signer_from_seed(secret("signing", parts_.seed)));
  identity_.public_key = signer->public_key();
  identity_.agent = agent_id_of(identity_.public_key);
  identity_.token = secret("token", parts_.seed);
  identity_.tls_key = sha256(secret("tls", parts_.seed));
  Enrolment enrolment;
  enrolment.tenant = parts_.tenant;
  enrolment.agent = identity_.agent;
  enrolment.signing_key = to_base64(identity_.public_key);
  enrolment.tls_key = identity_.tls_key;
  enrolment.invitation = sha256(identity_.token);
  enrolment.time = now;
  enrolment.software_version = "0.1.0";
  const std::string payload = encode_enrolment(enrolment);
  MELDEVAKT_TRY_ASSIGN(identity_.enrolment, meldevakt::seal(kEnrolmentType, payload, *signer));
  identity_.enrolment_link = link_hash(kEnrolmentType, payload);
  row_.id = parts_.tenant;
  row_.name = parts_.name;
  row_.agent = identity_.agent;
  row_.enrolled = now;
  row_.enrolment_link = identity_.enrolment_link;
  row_.head = {0, 0, identity_.enrolment_link, Instant{}};
  row_.boot_id = clock_.boot_id();
  row_.boot_ns = clock_.boot_ns();
  return {};
}

Status SimAgent::build(const std::vector<agent::PipelineRow>& snapshots, const std::string& lives,
                       Instant now) {
  agent::TenantKeys keys;
  MELDEVAKT_TRY_ASSIGN(keys.signer, signer_from_seed(secret("signing", parts_.seed)));
  keys.tenant_key = secret("tenant", parts_.tenant_seed);
  keys.fact_key = secret("fact", parts_.seed);
  sources_.clear();
  for (const agent::SourceConfig& config : parts_.config.sources) {
    agent::SourcePipeline::Settings settings;
    settings.name = config.name;
    settings.pack = parts_.packs.at(config.pack).pack;
    settings.zone = parts_.zone;
    settings.tenant_key = keys.tenant_key;
    settings.fact_key = keys.fact_key;
    settings.flush_lag = settings.pack->flush_lag;
    settings.clock_error = agent::known_clock_error(clock_quality(), parts_.config.clock_error_max);
    std::vector<agent::SourceLane::Branch> branches;
    for (const agent::PipelineRow& row : snapshots) {
      if (row.source != config.name) continue;
      MELDEVAKT_TRY_ASSIGN(agent::SourcePipeline restored,
                           agent::SourcePipeline::restore(settings, row.snapshot, now));
      branches.push_back({parts_.tenant, std::move(restored)});
    }
    if (branches.empty()) {
      branches.push_back({parts_.tenant, agent::SourcePipeline{settings, now}});
    }
    sources_.push_back(std::make_unique<agent::SourceLane>(
        config.name, std::make_unique<MemorySource>(log_of(config.name)), std::move(branches)));
  }
  const agent::LifeTracker::Settings settings;
  agent::LifeTracker tracker{settings};
  if (!lives.empty()) {
    MELDEVAKT_TRY_ASSIGN(tracker, agent::LifeTracker::restore(settings, lives));
  }
  tenant_ = std::make_unique<agent::TenantLane>(row_, std::move(keys), std::move(tracker));
  return {};
}

SimLog& SimAgent::log_of(std::string_view source) const {
  if (source == kTraceSource) return parts_.trace;
  return source == kBackupSource ? parts_.backup : parts_.database;
}

Instant SimAgent::pass_to(Instant now) {
  const Instant host = parts_.clock.host_time(now);
  if (clock_.now() < host) clock_.advance(host - clock_.now());
  parts_.trace.write_until(now);
  parts_.database.write_until(now);
  parts_.backup.write_until(now);
  return clock_.now();
}

ClockQuality SimAgent::clock_quality() const {
  if (parts_.clock.most() > Duration{}) return {};
  return {.synchronised = true, .offset_us = 0, .max_error_us = kClockErrorUs};
}

std::vector<agent::SourceLane*> SimAgent::lanes() const {
  std::vector<agent::SourceLane*> out;
  for (const auto& source : sources_) out.push_back(source.get());
  return out;
}

void SimAgent::read(Instant now) {
  const Instant host = pass_to(now);
  for (const auto& source : sources_) source->poll(host, kReadAtOnce, true, log_);
}

Status SimAgent::turn(Instant now) {
  read(now);
  if (!tenant_->due(lanes(), parts_.config, clock_.now())) return {};
  return seal();
}

Status SimAgent::seal() {
  const Instant now = clock_.now();
  agent::StatementContext context;
  context.to = now;
  context.boot_id = clock_.boot_id();
  context.boottime_to_ns = clock_.boot_ns();
  // The collector is told once a day what swings in nine: a comparison would say nothing new.
  context.clock = agent::clock_state(clock_quality(), parts_.config.clock_error_max, {});
  context.configuration = parts_.config.digest;
  context.software_version = "0.1.0";
  agent::StateChange change;
  change.now = now;
  MELDEVAKT_TRY(tenant_->seal(lanes(), std::move(context), random_, change));
  tenant_->committed();
  row_ = tenant_->row();
  for (agent::Lives& lives : change.lives) lives_ = std::move(lives.snapshot);
  for (agent::StatementRow& statement : change.statements) {
    frames_.push_back(std::move(statement.frame));
  }
  return {};
}

Status SimAgent::stop(Instant now) {
  read(now);
  if (tenant_->from() < clock_.now()) MELDEVAKT_TRY(seal());
  agent::StateChange change;
  for (const auto& source : sources_) {
    source->mark_changed();
    source->store(change, clock_.now());
  }
  snapshots_ = std::move(change.pipelines);
  sources_.clear();
  tenant_.reset();
  return {};
}

Status SimAgent::start(Instant now) {
  return build(snapshots_, lives_, pass_to(now));
}

std::vector<std::string> SimAgent::take_frames() {
  return std::exchange(frames_, {});
}

}  // namespace meldevakt::sim
