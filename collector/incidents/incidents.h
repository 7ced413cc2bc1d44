// Incidents: verdicts with one cause in one tenant, near in time.
//
//   std::vector<Incident> incidents = group_incidents(correlate(input, now));
//
// Sorted by first event. An id stays while cause and first message do: later messages of the same
// incident and a later `now` do not change it. Pure. Thread-safety: pure function. Cost: O(n log
// n).
#pragma once

#include <string>
#include <vector>

#include "collector/correlate/correlate.h"

namespace meldevakt::collector {

struct Incident {
  std::string id;  // 16 hexadecimal digits of a hash of tenant, cause and first message
  std::string tenant;
  std::string cause;
  Verdict worst = Verdict::kStoredAfterReceipt;
  Instant first;  // earliest and latest event
  Instant last;
  std::vector<std::string> messages;         // sorted
  std::optional<Instant> earliest_deadline;  // of those the portal still has
  std::string reason;                        // why these are one incident, in words
  bool open = true;                          // some message of it needs action
};

// Messages whose verdict needs action, or shows the fault (stored_after_receipt), grouped by cause;
// a pause over `apart` begins a new incident.
[[nodiscard]] std::vector<Incident> group_incidents(const Correlation& correlation,
                                                    Duration apart = hours(6));

}  // namespace meldevakt::collector
