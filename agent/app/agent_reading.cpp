// Reading, as far as the budgets let it.
#include <algorithm>
#include <utility>

#include "agent/app/agent_core.h"
#include "agent/app/agent_status.h"

namespace meldevakt::agent {

bool Agent::is_outbox_full() {
  const std::uint64_t limit = parts_.config.budget.outbox_bytes;
  const bool full = core_->state->outbox().bytes + std::min(kOutboxReserve, limit / 4) > limit;
  if (full != std::exchange(outbox_full_, full)) {
    if (full) {
      parts_.log.warn(
          "the outbox is full (budget.outbox): reading stops until the collector takes "
          "statements; the log files keep what is unread");
    } else {
      parts_.log.info("the outbox has room again: reading goes on");
    }
  }
  return full;
}

void Agent::hold_sources(std::string_view reason, Instant now) {
  for (const auto& source : core_->sources) source->hold(reason, now);
}

bool Agent::read_sources(Instant now) {
  const std::size_t bytes = budget_.begin(parts_.clock.boot_ns());
  may_hold_ = bytes > 0;
  if (is_outbox_full()) {
    hold_sources("outbox_full", now);
    budget_.has_read(parts_.clock.boot_ns(), 0, false);
    return false;
  }
  if (budget_.is_memory_full()) {
    hold_sources("memory_full", now);
    return false;
  }
  if (bytes == 0) return false;
  return read_within(bytes, now) && rest().ms == 0;
}

// Each source gets an equal share of what is left, so that one that is far behind does not keep the
// others from being read; what a source does not need is left to those after it.
bool Agent::read_within(std::size_t bytes, Instant now) {
  Core& core = *core_;
  const std::size_t count = core.sources.size();
  std::size_t left = bytes;
  std::size_t read = 0;
  bool more = false;
  for (std::size_t i = 0; i < count; ++i) {
    SourceLane& source = *core.sources[(first_source_ + i) % count];
    const std::size_t share = std::max(left / (count - i), std::min(bytes, CpuPace::kBytesLeast));
    const auto polled = source.poll(now, share, !core.time->behind(), parts_.log);
    left -= std::min(left, polled.bytes);
    read += polled.bytes;
    more = more || polled.more;
  }
  first_source_ = (first_source_ + 1) % std::max<std::size_t>(count, 1);
  budget_.has_read(parts_.clock.boot_ns(), read, more);
  return more;
}

Duration Agent::rest() const {
  const bool eager =
      core_ != nullptr && std::any_of(core_->sources.begin(), core_->sources.end(),
                                      [](const auto& source) { return source->has_facts(); });
  return budget_.rest(parts_.clock.boot_ns(), parts_.config.poll, eager || !core_);
}

std::string Agent::status_json() const {
  std::vector<SourceBacklog> sources;
  for (const auto& source : core_->sources) {
    const BacklogWatch& backlog = source->backlog();
    sources.push_back({source->name(), backlog.unread(), backlog.rotation(), backlog.forecast()});
  }
  return agent_status_json(budget_.use(parts_.clock.boot_ns()), sources, hold_counts());
}

std::optional<HoldKeeper::Counts> Agent::hold_counts() const {
  if (!core_->holds) return std::nullopt;
  return core_->holds->counts();
}

AgentMetrics Agent::metrics() {
  AgentMetrics out;
  Core& core = *core_;
  out.version = parts_.software_version;
  out.now = parts_.clock.now();
  for (const SourceConfig& config : parts_.config.sources) {
    const auto lane =
        std::find_if(core.sources.begin(), core.sources.end(),
                     [&](const auto& source) { return source->name() == config.name; });
    if (lane == core.sources.end()) continue;
    const PackIdentity& pack = parts_.packs.at(config.pack).pack->identity;
    const SourcePipeline::Account account = (*lane)->any_pipeline().account();
    SourceMetrics source{.source = config.name,
                         .pack = pack.id,
                         .version = pack.version,
                         .hash = pack.sha256.hex(),
                         .bytes = account.bytes,
                         .records = account.records,
                         .references_withheld = account.references_withheld,
                         .unread = (*lane)->backlog().unread(),
                         .state = (*lane)->state(),
                         .lag = {}};
    const Instant until = (*lane)->any_pipeline().watermark();
    if (until.ms > 0) source.lag = std::max(Duration{}, out.now - until);
    out.sources.push_back(std::move(source));
  }
  for (const auto& tenant : core.tenants) {
    const auto acknowledged = last_acknowledged_.find(tenant->row().id);
    out.tenants.push_back({tenant->row().name, acknowledged == last_acknowledged_.end()
                                                   ? std::nullopt
                                                   : std::optional{acknowledged->second}});
  }
  out.outbox_statements = core.state->outbox().statements;
  out.outbox_bytes = core.state->outbox().bytes;
  out.outbox_bytes_allowed = parts_.config.budget.outbox_bytes;
  for (const FindingKind kind : {FindingKind::kFailedCommit, FindingKind::kReceiptWithoutCommit,
                                 FindingKind::kReceiptBeforeCommit}) {
    out.findings[std::string{to_string(kind)}] = told_kinds_[std::string{to_string(kind)}];
  }
  out.budget = budget_.use(parts_.clock.boot_ns());
  out.holds = hold_counts();
  return out;
}

void Agent::write_metrics(bool always) {
  const Duration now = steady();
  if (!core_ || !metrics_file_.is_wanted() || !(always || metrics_file_.is_due(now))) return;
  metrics_file_.write(now, metrics_text(metrics()));
}

}  // namespace meldevakt::agent
