// From a life to what is said of it: signs, decision, explanation, times, evidence. The one place
// that rebuilds and incremental steps share; what surrounds a life comes through `Surroundings`.
//
// Pure. Thread-safety: pure function.
#pragma once

#include <optional>
#include <vector>

#include "collector/correlate/coverage_map.h"
#include "collector/correlate/decide.h"
#include "collector/correlate/explain.h"
#include "collector/correlate/lives.h"
#include "collector/correlate/portal_map.h"
#include "collector/correlate/signs.h"

namespace meldevakt::collector {

class Surroundings {
 public:
  virtual ~Surroundings() = default;
  // Whom an unclear step could belong to; `step` is an index into Lives::steps.
  [[nodiscard]] virtual Candidates candidates_of(std::size_t step) const = 0;
  // The first kWindowsPerMessageMax that overlap, by start; both ends count.
  [[nodiscard]] virtual std::vector<OverloadWindow> windows_over(const Interval& span) const = 0;
};

struct Bench {  // what every life is judged by
  const CoverageMap& coverage;
  const PortalMap& portals;
  const Policy& policy;
  Instant now;
};

struct Judged {
  MessageVerdict message;
  // It stands in a log of several tenants alone, and no portal of this one's, whose lists are
  // complete for all the time in which it can have been sent, knows it: it is another's, and
  // nothing is said of it here.
  bool of_another = false;
  std::optional<Interval> span;  // of its life, a little wider than the clocks may err
  // What must have been read, and what must not lie near, for the verdict to stand: as long as the
  // message is not both committed and receipted, or nobody knows whose it is. Nothing outside it,
  // names apart, changes a verdict.
  std::optional<Interval> sensitive;
  std::optional<Instant> next;  // the next time at which time alone may change what is said
  // By how much receipt and commit lie apart, where only clocks that may err against each other say
  // which of the two came first.
  std::optional<Duration> first_across_clocks;
};

// A name that only aliases and candidates mention is no message yet.
[[nodiscard]] inline bool is_message(const Life& life) {
  return !life.own.empty() || !life.receipts.empty();
}
// REQUIRES: is_message(life).
[[nodiscard]] Judged judge(const Lives& lives, const Life& life, const Bench& bench,
                           const Surroundings& surroundings);

}  // namespace meldevakt::collector
