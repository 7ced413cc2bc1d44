#include "agent/app/tenant_lane.h"

#include <algorithm>
#include <utility>

#include "agent/app/coverage_json.h"
#include "common/seal/dsse.h"
#include "common/summary/frame.h"

namespace meldevakt::agent {
namespace {

bool observes_commits(const SourceYield& yield) {
  const std::vector<Observed>& observes = yield.coverage.observes;
  return std::any_of(observes.begin(), observes.end(),
                     [](const Observed& one) { return one.signal == Signal::kMessageCommitted; });
}

// Event time up to which a commit would have been seen: what could not show one holds nothing up.
Instant watermark_of(const std::vector<SourceYield>& yields) {
  const bool any = std::any_of(yields.begin(), yields.end(), observes_commits);
  std::optional<Instant> out;
  for (const SourceYield& yield : yields) {
    if (any && !observes_commits(yield)) continue;
    if (yield.coverage.observes.empty()) continue;  // receipts
    out = std::min(yield.watermark, out.value_or(yield.watermark));
  }
  return out.value_or(Instant{});
}

}  // namespace

bool TenantLane::due(const std::vector<SourceLane*>& sources, const Config& config, Instant now) {
  if (now <= from()) return false;
  bool urgent = false;
  bool facts = false;
  bool silence = false;
  for (SourceLane* source : sources) {
    const SourcePipeline* pipeline = source->pipeline(row_.id);
    if (pipeline == nullptr) continue;
    urgent = urgent || pipeline->has_urgent();
    facts = facts || pipeline->has_facts();
    silence = silence || silence_speaks(source->name(), *pipeline);
  }
  const Duration since = now - from();
  if (facts && !facts_since_) facts_since_ = now;
  if (!facts) facts_since_.reset();
  if ((urgent || silence) && since >= std::min(kUrgentSpacing, config.ship.facts_within))
    return true;
  if (facts_since_ && now - *facts_since_ + config.poll >= config.ship.facts_within) return true;
  return since >= config.ship.every;
}

Status TenantLane::seal(const std::vector<SourceLane*>& sources, StatementContext context,
                        Random& random, StateChange& change) {
  context.tenant = row_.id;
  context.agent = row_.agent;
  context.from = from();
  context.log_seen_size = row_.log.size;
  if (row_.log.size > 0) context.log_seen_root = row_.log.root.hex();
  context.boottime_from_ns = row_.boot_id == context.boot_id ? row_.boot_ns : 0;

  std::vector<SourceYield> yields;
  for (SourceLane* source : sources) {
    SourcePipeline* pipeline = source->pipeline(row_.id);
    if (pipeline == nullptr) continue;
    yields.push_back(pipeline->take(context.to));
    source->mark_changed();
  }
  facts_since_.reset();
  watch_lives(yields, change);

  std::vector<std::string> coverage;
  for (const SourceYield& yield : yields) coverage.push_back(coverage_json(yield));
  std::vector<std::string> names;
  for (const SourceYield& yield : yields) names.push_back(yield.coverage.id);
  MELDEVAKT_TRY(add_statements(context, std::move(yields), random, change));
  for (std::size_t i = 0; i < names.size(); ++i) {
    change.coverage.push_back({row_.id, names[i], coverage[i]});
  }
  return {};
}

// A receipt without commit, or a failure without retry, becomes a finding by silence: as soon as a
// source is read up to the end of the grace time, somebody has to look and the collector has to
// hear how far it was read, also when nothing new is written.
bool TenantLane::silence_speaks(const std::string& source, const SourcePipeline& pipeline) const {
  if (deadlines_.empty()) return false;
  const auto sealed = sealed_watermarks_.find(source);
  const Instant before = sealed == sealed_watermarks_.end() ? Instant{} : sealed->second;
  const auto next = std::upper_bound(deadlines_.begin(), deadlines_.end(), before);
  return next != deadlines_.end() && *next <= pipeline.watermark();
}

void TenantLane::watch_lives(const std::vector<SourceYield>& yields, StateChange& change) {
  if (yields.empty()) return;
  bool steps = false;
  for (const SourceYield& yield : yields) {
    sealed_watermarks_[yield.coverage.id] = yield.watermark;
    for (const Fact& fact : yield.facts) {
      if (const auto* window = std::get_if<WindowFact>(&fact.what)) {
        change.hold.wanted.emplace_back(
            row_.id, HoldFinding{fact.id, std::string{kOverloadWindow}, window->span.from,
                                 fact.source, window->driver});
      }
      lives_.add(fact);
      steps = steps || std::holds_alternative<StepFact>(fact.what);
    }
  }
  const std::vector<Finding> findings = lives_.findings(watermark_of(yields));
  for (const Finding& finding : findings) {
    change.findings.push_back({finding_id(row_.id, finding), row_.id, finding, change.now, {}});
  }
  if (steps || !findings.empty()) change.lives.push_back({row_.id, lives_.snapshot()});
  deadlines_ = lives_.deadlines();
}

Status TenantLane::add_statements(const StatementContext& context, std::vector<SourceYield> yields,
                                  Random& random, StateChange& change) {
  MELDEVAKT_TRY_ASSIGN(const std::vector<Draft> drafts,
                       build_statements(context, row_.head, std::move(yields), random));
  ChainHead head = row_.head;
  for (const Draft& draft : drafts) {
    MELDEVAKT_TRY_ASSIGN(std::string envelope,
                         meldevakt::seal(kStatementType, draft.payload, *keys_.signer));
    StatementRow statement;
    statement.tenant = row_.id;
    statement.epoch = head.epoch;
    statement.sequence = head.next_sequence;
    statement.link = draft.head.link;
    statement.sealed = context.to;
    statement.frame = encode_frame({std::move(envelope), draft.bodies});
    change.statements.push_back(std::move(statement));
    head = draft.head;
  }
  change.chains.push_back({row_.id, row_.head, head, context.boot_id, context.boottime_to_ns});
  sealed_head_ = head;
  sealed_boot_id_ = context.boot_id;
  sealed_boot_ns_ = context.boottime_to_ns;
  return {};
}

void TenantLane::committed() {
  if (sealed_boot_id_.empty()) return;
  row_.head = sealed_head_;
  row_.boot_id = std::exchange(sealed_boot_id_, {});
  row_.boot_ns = sealed_boot_ns_;
}

}  // namespace meldevakt::agent
