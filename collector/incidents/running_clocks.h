// Which deadlines run for a message and for an incident (deadlines/clocks.h says how urgent each
// is). Pure. Thread-safety: pure functions.
#pragma once

#include <optional>
#include <vector>

#include "collector/deadlines/clocks.h"
#include "collector/incidents/incidents.h"

namespace meldevakt::collector {

// Of a message that is not in the case system (lost, missing, in doubt, unverifiable, undelivered)
// or only came there by a person's hand (recovered): the child-welfare act's two; and until it is
// recovered the portal's purge, where there is one. None of any other message: its clocks are the
// case system's own. Sorted by when they are due.
[[nodiscard]] std::vector<RunningClock> clocks_of(const MessageVerdict& message, Instant now);

// The 72 hours from `to_notify` (Incident), and the soonest purge of those that the portal still
// has.
[[nodiscard]] std::vector<RunningClock> clocks_of(const Incident& incident,
                                                  std::optional<Instant> to_notify, Instant now);

// The same, and of those of its messages that are not in the case system yet the soonest of the
// child-welfare act's two. None of an incident that is not open but the 72 hours: who closes it has
// not notified.
[[nodiscard]] std::vector<RunningClock> clocks_of(
    const Incident& incident, const std::vector<const MessageVerdict*>& messages,
    std::optional<Instant> to_notify, Instant now);

// The most urgent of them; nullopt: there are none.
[[nodiscard]] std::optional<ClockLevel> level_of(const std::vector<RunningClock>& clocks);

}  // namespace meldevakt::collector
