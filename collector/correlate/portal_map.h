// For which times the portals' rows are complete: the receipts' own coverage. Claims of one portal
// that touch are one claim. Pure. Thread-safety: const functions. Cost: O(portals * log n).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "collector/correlate/correlate.h"
#include "collector/correlate/interval_set.h"

namespace meldevakt::collector {

class PortalMap {
 public:
  PortalMap() = default;
  explicit PortalMap(const std::vector<ReceiptCoverage>& claims) {
    for (const ReceiptCoverage& claim : claims) static_cast<void>(add(claim));
  }
  // What is new of it.
  std::vector<Interval> add(const ReceiptCoverage& claim);

  // A portal, or the one named, holds a row of every message sent from `from` to `to`, both
  // included.
  [[nodiscard]] bool complete(const std::string* portal, Instant from, Instant to) const;

 private:
  std::map<std::string, IntervalSet> complete_;
};

}  // namespace meldevakt::collector
