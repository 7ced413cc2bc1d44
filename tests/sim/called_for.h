// What each message of a service calls for, by truth and oracle: in which incident it belongs, and
// until when something must be done. What incidents, deadlines and the same fault elsewhere are
// compared with.
//
// Of what was never read, or may have been cut in the midst, the truth is that nobody can know it:
// there the last verdict is taken as it was said (compare() judges it), and no more than that.
//
// Pure. Thread-safety: pure functions. What is returned refers to what is given.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "collector/correlate/correlate.h"
#include "tests/sim/history.h"
#include "tests/sim/service_run.h"

namespace meldevakt::sim {

// As far as a time may be off: the hosts' clocks, the portal's whole seconds, and that a failed
// save that was not read happened after the receipt that was.
inline constexpr Duration kTimesMayErr = seconds(6);

struct Called {
  const TrueMessage* message = nullptr;
  const collector::MessageVerdict* said = nullptr;
  bool certain = false;  // all that tells of it is read
  collector::Verdict verdict = collector::Verdict::kPending;
  std::string_view cause;
  Instant time;  // when it happened: the save that failed, else the receipt
  Instant purged;
  collector::Category category = collector::Category::kNone;
};
// Somebody must look at it.
[[nodiscard]] bool calls_for_action(collector::Verdict verdict);
// It belongs to exactly one incident. What was stored after its receipt does, although nobody must
// look at it: it shows the fault.
[[nodiscard]] bool belongs_to_one(collector::Verdict verdict);
// How bad it is to hear; the worst highest.
[[nodiscard]] int badness(collector::Verdict verdict);

// Sorted by time. Messages of which nothing was said are left out: compare() tells of them.
[[nodiscard]] std::vector<Called> called_for(const ServicePlan& service,
                                             const ServiceResult& result,
                                             const collector::Correlation& said,
                                             const TimeZone& zone);

// What one cause did in a service: what may be seen elsewhere, too.
struct TrueSign {
  std::string cause;
  Instant first;
  Instant last;
  Instant said_by;  // until then the first that is certain must have been said
  std::uint64_t messages = 0;
  collector::Verdict worst = collector::Verdict::kStoredAfterReceipt;
};
// Sorted by cause. That something was not read is no sign: it says nothing of what is broken.
[[nodiscard]] std::vector<TrueSign> signs_of(const ServicePlan& service,
                                             const std::vector<Called>& called);

}  // namespace meldevakt::sim
