// The incidents of one service against the truth.
//
// The rule, written anew: what needs action, or was stored after its receipt, is in exactly one
// incident of its tenant; others are in none. Those of one cause are one incident as long as no
// pause between them is longer than six hours (so whatever one overload did by one cause is one),
// and those of two causes, or with such a pause, are two.
//
// Wrong is: a message that is in no incident, in two, or in one although it needs no action; one
// incident where truth has two, or the other way round; another tenant, cause, worst verdict, span
// (by more than times may err), number of messages in its reason or in a category, or next purge;
// one that is closed although something needs action, or open although nothing does; two of one
// id. Each sentence names the service, the incident, what was to be and what was said.
//
// Pure. Thread-safety: pure functions.
#pragma once

#include <string>
#include <vector>

#include "collector/app/view.h"
#include "tests/sim/called_for.h"

namespace meldevakt::sim {

void compare_incidents(const ServicePlan& service, const std::vector<Called>& called,
                       const collector::View& view, std::vector<std::string>& wrong);

// The same of what the running collector keeps of each cause, one change at a time: which causes
// there are of what needs action, each with its messages, worst verdict and span.
void compare_causes(const ServicePlan& service, const std::vector<Called>& called,
                    const std::vector<collector::CausePart>& found,
                    std::vector<std::string>& wrong);

}  // namespace meldevakt::sim
