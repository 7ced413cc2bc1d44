// Incidents: verdicts with one cause in one tenant, near in time.
//
//   std::vector<Incident> incidents = group_incidents(correlate(input, now));
//
// Sorted by first event. An id stays while cause and first message do: later messages of the same
// incident and a later `now` do not change it. Pure. Thread-safety: pure function. Cost: O(n log
// n).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "collector/correlate/correlate.h"

namespace meldevakt::collector {

// What one cause did in an incident.
struct CausePart {
  std::string cause;
  Verdict worst = Verdict::kStoredAfterReceipt;
  Instant first;  // earliest and latest event
  Instant last;
  std::uint64_t messages = 0;
  auto operator<=>(const CausePart&) const = default;
};

struct Incident {
  std::string id;  // 16 hexadecimal digits of a hash of tenant, cause and first message
  std::string tenant;
  std::string cause;
  // One, or several where people merged incidents; sorted by cause.
  std::vector<CausePart> causes;
  Verdict worst = Verdict::kStoredAfterReceipt;
  Instant first;  // earliest and latest event
  Instant last;
  std::vector<std::string> messages;         // sorted
  std::optional<Instant> earliest_deadline;  // of those the portal still has
  std::string reason;                        // why these are one incident, in words
  bool open = true;                          // some message of it needs action
  // What people decided of it: numbers of the entries (decisions.h), sorted.
  std::vector<std::uint64_t> decided{};
  bool closed_by_person = false;
  std::optional<Instant> notified{};   // when the authority was, first
  std::optional<Instant> to_notify{};  // since when it should be: the 72 hours run from here
};

// How bad a verdict is to hear: 0 for those that make no incident, the worst highest.
[[nodiscard]] int severity(Verdict verdict);
// When it happened: the failure, else the receipt that should have waited, else the sending, else
// whatever is known of it first.
[[nodiscard]] Instant event_time(const MessageVerdict& message);
[[nodiscard]] bool belongs_to_an_incident(Verdict verdict);

// Of messages that somebody says are one event, whatever their causes: the cause is that of the
// worst. REQUIRES: not empty.
[[nodiscard]] Incident incident_of(const Correlation& all,
                                   std::vector<const MessageVerdict*> messages);

// Messages whose verdict needs action, or shows the fault (stored_after_receipt), grouped by cause;
// a pause over `apart` begins a new incident.
[[nodiscard]] std::vector<Incident> group_incidents(const Correlation& correlation,
                                                    Duration apart = hours(6));

}  // namespace meldevakt::collector
