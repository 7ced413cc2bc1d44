// The same fault in several services of the country against the truth: what a fleet's report says
// of it at the end, and what the running collector would have told on the way.
//
// The rule, written anew: what lost messages, or receipted them too early, in two services that use
// one product is systemic from its first message in the second of them. That something was not read
// is not.
//
// Wrong is, at the end: a cause that is not told although two services show it, or told although
// they do not; other services than those; when it was first seen, seen in a second one, or seen
// last (by more than times may err); how many messages, how bad; and who else may be hit: exactly
// those that do not show it and use the same version and were not corrected, as the register says,
// or of which not everything was read, or nobody can say it, each with its reasons, its messages
// and in its place.
//
// On the way (the real watch, given what each service's correlator had at each time): told of a
// service before it happened there; not told of it when what happened there must have been said, if
// another one's must have been by then; said to be over.
//
// Pure. Thread-safety: pure functions.
#pragma once

#include <string>
#include <vector>

#include "collector/app/systemic_watch.h"
#include "tests/sim/called_for.h"
#include "tests/sim/collector_side.h"

namespace meldevakt::sim {

struct SystemicPart {
  std::vector<TrueSign> signs;
  std::uint64_t messages = 0;  // truly
  collector::TenantStanding standing;
  collector::SystemicWatch::Known known;
  std::vector<CausesSeen> causes_seen;
};

// `parts`: of each of the plan's services, in its order.
void compare_systemic(const CountryPlan& plan, const std::vector<SystemicPart>& parts,
                      std::vector<std::string>& wrong);

}  // namespace meldevakt::sim
