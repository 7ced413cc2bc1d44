// One service's years: case system, database, agents, collector, in simulated time.
//
//   MELDEVAKT_TRY_ASSIGN(ServiceResult result, run_service(service, span, settings, ledger));
//
// Time goes from one thing that happens to the next; in between an agent has nothing to do but its
// regular statements, which it makes. With `Settings::every_second` it takes a turn every second
// instead, as the real loop does with an idle log.
//
// Thread-safety: services may run at the same time, each in one thread; the ledger is shared.
#pragma once

#include <memory>
#include <vector>

#include "agent/app/packs.h"
#include "collector/correlate/correlate.h"
#include "tests/sim/collector_side.h"
#include "tests/sim/history.h"
#include "tests/sim/plan.h"

namespace meldevakt::sim {

struct RunSettings {
  Duration seal_every = days(1);
  bool every_second = false;
  bool correlates = true;
  const agent::Packs* packs = nullptr;
  std::shared_ptr<const TimeZone> zone;
};

struct ServiceResult {
  std::vector<TrueMessage> truth;  // nobody but the comparison reads these two
  std::vector<TrueOverload> overloads;
  collector::Correlation last;
  std::vector<VerdictChange> changes;
  std::vector<LatentChange> latent_changes;
  std::vector<CausesSeen> causes_seen;
  std::vector<collector::CausePart> causes;  // as of the end, one change at a time
  std::uint64_t statements = 0;
};

[[nodiscard]] Result<ServiceResult> run_service(const ServicePlan& service, const Interval& span,
                                                const RunSettings& settings, Ledger& ledger);

}  // namespace meldevakt::sim
