// The deadlines of one service's messages and incidents against the truth, with arithmetic of its
// own by Norway's time zone: the purge at the portal, 7 days until somebody must have looked at a
// message, 21 until its sender hears back, both from when it was sent; and 72 hours from the
// earliest awareness that is recorded. For that, two people become aware of each open incident
// here, the one who did so first being recorded last.
//
// Wrong is: a deadline that is missing, another one, or too many of a message, or of an incident
// (which has of each kind the soonest of its messages); one of a message that nobody must look at;
// a level that is not that of the time left, or an awareness that is not the earliest.
//
// Pure. Thread-safety: pure functions.
#pragma once

#include <string>
#include <vector>

#include "collector/app/view.h"
#include "tests/sim/called_for.h"

namespace meldevakt::sim {

void compare_clocks(const ServicePlan& service, const std::vector<Called>& called,
                    const collector::View& view, const TimeZone& zone,
                    std::vector<std::string>& wrong);

}  // namespace meldevakt::sim
