#include "agent/app/agent.h"

#include <algorithm>
#include <utility>

#include "agent/app/agent_core.h"
#include "agent/app/agent_status.h"
#include "agent/app/clock_claim.h"

namespace meldevakt::agent {
namespace {

// How long a stop gives the dispatchers for what was sealed last.
constexpr Duration kStopPatience = milliseconds(2500);

LogLevel level_of(FindingKind kind) {
  switch (kind) {
    case FindingKind::kFailedCommit:
    case FindingKind::kReceiptWithoutCommit: return LogLevel::kError;
    case FindingKind::kReceiptBeforeCommit: return LogLevel::kWarn;
  }
  return LogLevel::kError;
}

// `says_tenant`: where an agent serves several, a log that they share makes a finding for each.
std::string line_of(const FindingRow& found, bool says_tenant) {
  std::string message;
  for (const Reference& reference : found.finding.references) {
    if (reference.type == ReferenceType::kPortalMessageId) message = reference.value;
  }
  std::string line = "finding kind=" + std::string{to_string(found.finding.kind)};
  line += " message=" + (message.empty() ? "unknown" : message);
  line += " time=" + to_rfc3339(found.finding.time) + " source=" + found.finding.source;
  if (says_tenant) line += " tenant=" + found.tenant;
  if (!found.finding.code.empty()) line += " code=" + found.finding.code;
  return line + ": " + found.finding.sentence;
}

bool is_empty(const StateChange& change) {
  return change.files.empty() && change.pipelines.empty() && change.statements.empty() &&
         change.findings.empty() && change.told.empty() && change.given.empty() &&
         change.acknowledged.empty() && change.log_faults.empty() && change.hold.empty();
}

}  // namespace

Agent::Agent(Parts parts)
    : parts_{std::move(parts)},
      shipping_{parts_.log},
      command_{parts_.config.on_finding, parts_.log},
      budget_{parts_.config.budget, parts_.meter, parts_.log},
      metrics_file_{parts_.config.metrics_file, parts_.log} {}
Agent::~Agent() = default;

Result<std::unique_ptr<Agent>> Agent::create(Parts parts) {
  std::unique_ptr<Agent> agent{new Agent{std::move(parts)}};
  agent->compare_until_ = agent->steady() + kCompareWait;
  MELDEVAKT_TRY(agent->build());
  return agent;
}

Duration Agent::steady() const {
  return {parts_.clock.boot_ns() / 1'000'000};
}

bool Agent::turn() {
  if (!has_state()) {
    if (!parts_.config.on_finding.empty()) command_.poll(steady());
    return false;
  }
  Core& core = *core_;
  core.time->advance();
  const Instant now = core.time->now();
  core.change.now = now;
  if (core.time->behind() != std::exchange(said_behind_, core.time->behind()) && said_behind_) {
    parts_.log.warn(
        "the clock was set back; nothing is claimed to be complete until it has caught "
        "up with " +
        to_rfc3339(now));
  }
  for (Acknowledgement& one : shipping_.take_acknowledged()) {
    last_acknowledged_[one.tenant] = now;
    core.change.acknowledged.push_back(std::move(one));
  }
  core.change.log_faults = shipping_.log_faults();
  const bool more = read_sources(now);
  Status done = look_after_command();
  if (done) done = seal_due(now, false);
  if (done) done = commit_due(now, false);
  if (done) done = offer();
  if (!done) {
    fail(done.error());
    return false;
  }
  write_metrics(false);
  // Last, and one part at most: findings are told before their log is held. It is paid for by the
  // reading after it.
  const bool more_to_hold = may_hold_ && core.holds && core.holds->work(now);
  if (more_to_hold) budget_.has_more_work();
  return (more || more_to_hold) && rest().ms == 0;
}

bool Agent::has_state() {
  if (core_) return true;
  if (steady() < retry_at_) return false;
  const Status built = build();
  if (built) {
    parts_.log.info("the state works again; reading goes on where it was last stored");
    retry_wait_ = kStateRetryFirst;
    return true;
  }
  if (built.error().message() != said_error_) {
    said_error_ = built.error().message();
    parts_.log.error("the state still cannot be used: " + said_error_);
  }
  retry_wait_ = std::min(Duration{retry_wait_.ms * 2}, kStateRetryMax);
  retry_at_ = steady() + retry_wait_;
  return false;
}

void Agent::fail(const Error& error) {
  parts_.log.error("the state cannot be written; reading stops until it can, nothing is lost: " +
                   error.message());
  said_error_ = error.message();
  core_.reset();
  retry_at_ = steady() + retry_wait_;
}

bool Agent::waits_for_clock(const std::string& tenant) const {
  if (!parts_.clock_difference || parts_.config.ship.mode != ShipMode::kHttps) return false;
  return steady() < compare_until_ && !parts_.clock_difference(tenant);
}

ClockState Agent::clock_of(const std::string& tenant) {
  const ClockQuality quality = parts_.clock_quality();
  const Duration error_max = parts_.config.clock_error_max;
  const auto difference = parts_.clock_difference ? parts_.clock_difference(tenant) : std::nullopt;
  const std::string words = words_of_difference(known_clock_error(quality, error_max), difference);
  const bool differs = !words.empty();
  if (differs != (clock_differs_.count(tenant) != 0)) {
    if (differs) {
      parts_.log.warn("clock: this host's is " + words + " the collector's tenant=" + tenant +
                      "; what is claimed to be read is that much less certain until one of the two "
                      "is set right");
      clock_differs_.insert(tenant);
    } else {
      parts_.log.info("clock: this host's and the collector's agree again tenant=" + tenant);
      clock_differs_.erase(tenant);
    }
  }
  return clock_state(quality, error_max, difference);
}

Status Agent::seal_due(Instant now, bool all) {
  Core& core = *core_;
  if (outbox_full_) return {};
  const std::vector<SourceLane*> sources = core.source_pointers();
  for (const auto& tenant : core.tenants) {
    const bool due = all ? now > tenant->from() : tenant->due(sources, parts_.config, now);
    if (!due || (!all && waits_for_clock(tenant->row().id))) continue;
    StatementContext context;
    context.to = now;
    context.boot_id = parts_.clock.boot_id();
    context.boottime_to_ns = core.time->boot_ns();
    context.clock = clock_of(tenant->row().id);
    context.clock.stepped = core.time->take_stepped();
    context.configuration = parts_.config.digest;
    context.software_version = parts_.software_version;
    context.software_sha256 = parts_.software_sha256;
    auto sealed = tenant->seal(sources, std::move(context), parts_.random, core.change);
    if (!sealed) return std::move(sealed).error().in("a statement cannot be sealed");
  }
  return {};
}

Status Agent::commit_due(Instant now, bool all) {
  Core& core = *core_;
  StateChange& change = core.change;
  const Duration since = now - core.committed;
  const bool sealed = !change.statements.empty();
  const bool acknowledged = !change.acknowledged.empty() && since >= kAcknowledgeEvery;
  const bool changed = !change.told.empty() || !change.given.empty() ||
                       !change.log_faults.empty() || (core.holds && core.holds->changed()) ||
                       std::any_of(core.sources.begin(), core.sources.end(),
                                   [](const auto& source) { return source->changed(); });
  if (!all && !sealed && !acknowledged && !(changed && since >= kCommitEvery)) return {};
  for (const auto& source : core.sources) source->store(change, now);
  MELDEVAKT_TRY(core.state->keep_new(change.findings));
  note_holds(core);
  if (is_empty(change)) return {};
  if (now - core.status_stored >= kStatusEvery || now < core.status_stored || all) {
    change.status.push_back({std::string{kAgentTopic}, status_json()});
    core.status_stored = now;
  }
  MELDEVAKT_TRY(core.state->commit(change));
  shipping_.log_faults_committed();
  if (core.holds) core.holds->committed();
  for (const auto& tenant : core.tenants) {
    tenant->committed();
    for (const Acknowledgement& one : change.acknowledged) {
      if (one.tenant == tenant->row().id && one.log) tenant->saw_log(*one.log);
    }
  }
  const std::vector<FindingRow> findings = std::exchange(change, StateChange{}).findings;
  change.now = now;
  core.committed = now;
  tell(findings);
  return {};
}

void Agent::tell(const std::vector<FindingRow>& findings) {
  const bool several = parts_.config.tenants.size() > 1;
  for (const FindingRow& found : findings) {
    core_->change.told.push_back(found.id);
    if (!told_.insert(found.id).second) continue;
    ++told_kinds_[std::string{to_string(found.finding.kind)}];
    parts_.log.write(level_of(found.finding.kind), line_of(found, several));
  }
  give(findings);
}

// Who names no program has had everything: one that is named later begins with what comes then.
void Agent::give(const std::vector<FindingRow>& findings) {
  for (const FindingRow& found : findings) {
    if (parts_.config.on_finding.empty()) {
      core_->change.given.push_back(found.id);
    } else {
      command_.add(found);
    }
  }
}

Status Agent::look_after_command() {
  if (parts_.config.on_finding.empty()) return {};
  command_.poll(steady());
  for (std::string& id : command_.take_given()) core_->change.given.push_back(std::move(id));
  if (!command_.wants_more() || !core_->change.given.empty()) return {};
  command_.takes_more();
  MELDEVAKT_TRY_ASSIGN(const std::vector<FindingRow> more,
                       core_->state->ungiven(kFindingsWaitingMax + 1));
  give(more);
  return {};
}

Status Agent::offer() {
  std::map<std::string, ChainHead> ends;
  for (const auto& tenant : core_->tenants) ends[tenant->row().id] = tenant->row().head;
  return shipping_.offer(*core_->state, ends);
}

bool Agent::stop() {
  if (core_) {
    core_->time->advance();
    const Instant now = core_->time->now();
    core_->change.now = now;
    Status done = seal_due(now, true);
    if (done) done = commit_due(now, true);
    if (done) done = offer();
    if (!done) fail(done.error());
  }
  const bool ended = shipping_.stop(kStopPatience);
  command_.end([this] { return steady(); }, kStopPatience);
  if (core_) {
    for (std::string& id : command_.take_given()) core_->change.given.push_back(std::move(id));
    core_->change.acknowledged = shipping_.take_acknowledged();
    core_->change.log_faults = shipping_.log_faults();
    if (auto done = commit_due(core_->time->now(), true); !done) fail(done.error());
  }
  write_metrics(true);
  return ended;
}

}  // namespace meldevakt::agent
