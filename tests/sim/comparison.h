// Opens the truth and lays it beside what the collector concluded.
//
// Wrong is: a message whose last verdict is not the one that its truth and what could be read call
// for; a message that was ever said to be lost, missing or in doubt and was not, or stored and was
// not; one that is not spoken of; one that does not exist; one that is said to be where it is not
// (category A, B), or that is found later than two minutes after it could be; or whose failed save
// is not laid to the overload, with its driver, that it met; an overload that is not told, not with
// its driver, as confirmed although one log alone told of it (or the other way round), as several,
// or that never was.
//
// Pure. Thread-safety: pure functions.
#pragma once

#include <string>
#include <vector>

#include "collector/correlate/overload.h"
#include "tests/sim/plan.h"
#include "tests/sim/service_run.h"

namespace meldevakt::sim {

struct LossFound {
  std::string service;
  Instant sent;
  std::optional<Instant> found;  // when the collector first said lost or missing
  Instant purged;                // until then the portal had it
  Instant findable;              // when it must have been found
  [[nodiscard]] bool in_time() const { return found && *found < purged; }
};

struct Comparison {
  std::vector<LossFound> losses;
  std::vector<std::string> wrong;  // one sentence each
};

// `overloads`: what the collector makes of what it stored.
[[nodiscard]] Comparison compare(const ServicePlan& service, const ServiceResult& result,
                                 const std::vector<collector::Overload>& overloads);

}  // namespace meldevakt::sim
