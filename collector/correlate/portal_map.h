// For which times the portals' rows are complete: the receipts' own coverage. Claims of one portal
// that touch are one claim of what rows there are. What a row says is as old as the list it stands
// in, though, and a list that is complete until a time was not made before that: so that a message
// is still not confirmed at a time is known from one list that holds it and reaches so far. Pure.
// Thread-safety: const functions. Cost: O(portals * log n).
#pragma once

#include <map>
#include <optional>
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
  // Where it may tell something new.
  std::vector<Interval> add(const ReceiptCoverage& claim);

  // A portal, or the one named, holds a row of every message sent from `from` to `to`, both
  // included.
  [[nodiscard]] bool complete(const std::string* portal, Instant from, Instant to) const;
  // One list of that portal holds what was sent then, and was made at `at` or later.
  [[nodiscard]] bool told_at(const std::string& portal, Instant sent, Instant at) const;
  // The same of any portal.
  [[nodiscard]] bool any_told_at(Instant sent, Instant at) const;

 private:
  struct Portal {
    IntervalSet complete;
    // By where lists begin: until when they reach. Both grow; what another one holds is left out.
    std::map<Instant, Instant> lists;
    // Until when the list that reaches furthest of those that hold `sent` does.
    [[nodiscard]] std::optional<Instant> reach_of(Instant sent) const;
    void add_list(const Interval& span);
  };
  std::map<std::string, Portal> portals_;
};

}  // namespace meldevakt::collector
