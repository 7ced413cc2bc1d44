// The latent fault of one service against the truth: when it was first reported, that it was not
// before any message showed it, and that it ended when it had to and not before.
//
// Wrong is: a fault reported of a service that never had it, or before its first message that was
// receipted before its commit; one not reported within two minutes of when that could be read; one
// that is reported still (or no longer, or once more) against the rule of 20 messages in a row and
// the register's word.
//
// Pure. Thread-safety: pure function.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collector/report/latent_fault.h"
#include "tests/sim/plan.h"
#include "tests/sim/service_run.h"

namespace meldevakt::sim {

// `at_end`: of all that is stored.
void compare_latent_fault(const ServicePlan& service, const ServiceResult& result,
                          const std::optional<collector::LatentFault>& at_end,
                          std::vector<std::string>& wrong);

}  // namespace meldevakt::sim
