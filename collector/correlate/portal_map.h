// For which times the portals' rows are complete: the receipts' own coverage. A message whose
// portal is not known may be of any: that nobody knows it is said only where every portal's rows
// are complete. Claims of one portal that touch are one claim of what rows there are. What a row
// says is as old as the list it stands in, though, and a list that is complete until a time was not
// made before that: so that a message is still not confirmed at a time is known from one list that
// holds it and reaches so far. Pure. Thread-safety: const functions. Cost: O(portals * log n).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/correlate/correlate.h"
#include "collector/correlate/interval_set.h"

namespace meldevakt::collector {

class PortalMap {
 public:
  PortalMap() = default;
  // Of a tenant: the portals are those of its rows and claims, and those that the register names.
  explicit PortalMap(const TenantInput& input);
  // Where it may tell something new.
  std::vector<Interval> add(const ReceiptCoverage& claim);
  // One that rows are of; true when it was not known and that may tell something new of any time.
  bool add_portal(const std::string& portal);

  void set_uses(const std::vector<PortalUse>& uses);

  // There is a portal that was used then, and each that was holds a row of every message of it that
  // was sent from `from` to `to`, both included.
  [[nodiscard]] bool all_complete(Instant from, Instant to) const;
  // One list of that portal holds what was sent then, and was made at `at` or later.
  [[nodiscard]] bool told_at(std::string_view portal, Instant sent, Instant at) const;
  // There is a portal that was used then, and the same holds of each that was.
  [[nodiscard]] bool all_told_at(Instant sent, Instant at) const;

  // One that the register says was used then, and of which there are neither rows nor lists.
  [[nodiscard]] std::optional<std::string> untold(const Interval& asked) const;
  // Until when lists of every portal that was used until `until` reach; nullopt: one has none.
  [[nodiscard]] std::optional<Instant> reach_of_all(Instant until) const;

 private:
  struct Portal {
    IntervalSet complete;
    // By where lists begin: until when they reach. Both grow; what another one holds is left out.
    std::map<Instant, Instant> lists;
    // Until when the list that reaches furthest of those that hold `sent` does.
    [[nodiscard]] std::optional<Instant> reach_of(Instant sent) const;
    void add_list(const Interval& span);
  };
  // What of that time it was used: all, some stretches or nothing of it.
  [[nodiscard]] std::vector<Interval> used(std::string_view portal, const Interval& asked) const;

  std::map<std::string, Portal, std::less<>> portals_;
  std::map<std::string, std::vector<Interval>, std::less<>> uses_;
};

}  // namespace meldevakt::collector
