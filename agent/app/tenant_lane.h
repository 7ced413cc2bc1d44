// One tenant's chain at work: when a statement is due, and sealing it from the pipelines' yields.
//
// Due: urgent facts at once; other facts within ship.facts_within; when silence has become a
// finding, or may become one at the collector, at once; else every ship.every.
//
// Thread-safety: none. Errors: of sealing; the caller then builds everything anew from the state.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/app/config.h"
#include "agent/app/identity.h"
#include "agent/app/source_lane.h"
#include "agent/detect/life_tracker.h"
#include "agent/state/state.h"
#include "agent/summarise/statement_builder.h"
#include "common/ports/random.h"

namespace meldevakt::agent {

// What is urgent is sealed at once, but not more often than this: a storm of failures must not
// become a storm of syncs.
inline constexpr Duration kUrgentSpacing = milliseconds(400);

class TenantLane {
 public:
  TenantLane(TenantRow row, TenantKeys keys, LifeTracker lives)
      : row_{std::move(row)},
        keys_{std::move(keys)},
        lives_{std::move(lives)},
        deadlines_{lives_.deadlines()} {}

  [[nodiscard]] bool due(const std::vector<SourceLane*>& sources, const Config& config,
                         Instant now);
  // Takes what the pipelines have and adds statements, chain step, findings and coverage to the
  // change. `context`: everything but tenant, agent and the start of the span.
  [[nodiscard]] Status seal(const std::vector<SourceLane*>& sources, StatementContext context,
                            Random& random, StateChange& change);
  // The change has been committed.
  void committed();
  // A statement was acknowledged with a proof that the log holds it: later ones say how far the log
  // was seen.
  void saw_log(const SeenLog& log) { row_.log = log; }

  [[nodiscard]] const TenantRow& row() const { return row_; }
  [[nodiscard]] const TenantKeys& keys() const { return keys_; }
  [[nodiscard]] Instant from() const {
    return row_.head.next_sequence == 0 && row_.head.epoch == 0 ? row_.enrolled : row_.head.until;
  }

 private:
  [[nodiscard]] Status add_statements(const StatementContext& context,
                                      std::vector<SourceYield> yields, Random& random,
                                      StateChange& change);
  [[nodiscard]] bool silence_speaks(const std::string& source,
                                    const SourcePipeline& pipeline) const;
  void watch_lives(const std::vector<SourceYield>& yields, StateChange& change);

  TenantRow row_;
  TenantKeys keys_;
  LifeTracker lives_;
  std::vector<Instant> deadlines_;                    // of `lives_`
  std::map<std::string, Instant> sealed_watermarks_;  // by source: as the last statement has them
  ChainHead sealed_head_;  // after the statements that wait for their commit
  std::string sealed_boot_id_;
  std::int64_t sealed_boot_ns_ = 0;
  std::optional<Instant> facts_since_;
};

}  // namespace meldevakt::agent
