// Opens the truth and lays it beside what the collector concluded; what had to be said is the
// oracle's word (oracle.h), not the product's.
//
// Wrong is: a message whose last verdict, cause, category or deadline at the portal is not the one
// that its truth and what could be read call for; anything said of it on the way that nobody could
// have meant; one that is said later than two minutes after it could be; one that is not spoken of;
// one that does not exist, whatever was said of it; a failed save that is not laid to the overload
// that it met, by its driver; an overload that is not told, not with its driver, as confirmed
// although one log alone told of it (or the other way round), as several, or that never was.
//
// Pure. Thread-safety: pure functions.
#pragma once

#include <string>
#include <vector>

#include "collector/app/view.h"
#include "tests/sim/called_for.h"
#include "tests/sim/plan.h"
#include "tests/sim/service_run.h"

namespace meldevakt::sim {

struct LossFound {
  std::string service;
  Instant sent;
  std::optional<Instant> found;  // when the collector first said so
  Instant purged;                // until then the portal had it
  Instant findable;              // when it must have been found
  [[nodiscard]] bool in_time() const { return found && *found < purged; }
};

struct Comparison {
  std::vector<LossFound> losses;
  std::vector<TrueSign> signs;     // for compare_systemic()
  std::vector<std::string> wrong;  // one sentence each
};

// `view`: what the collector makes of what it stored. `zone`: Norway's.
[[nodiscard]] Comparison compare(const ServicePlan& service, const ServiceResult& result,
                                 const collector::View& view, const TimeZone& zone);

}  // namespace meldevakt::sim
