// What people decide of incidents: merge, split, close, reopen, when somebody became aware, and
// when the authority was notified. Like testimony (correlate/testimony.h) these are entries that
// are only ever added, and inputs of a pure function: the incidents are grouped anew each time,
// then the decisions are applied in their order.
//
//   std::vector<Incident> incidents = apply_decisions(correlation, group_incidents(correlation),
//   entries);
//
// Decisions name messages, not incidents: grouping may change when an earlier message becomes
// known, messages stay. A message is meant by any of its names (correlate/told_names.h). What an
// entry names and is no longer part of any incident is passed over.
//
//   merge     the incidents that hold these messages are one
//   split     these messages are an incident of their own
//   close     the incident is dealt with as far as these messages go: it is closed as long as no
//             other message of it needs action (one that joins later opens it again by itself), and
//             none of these is worse than it was then: who dealt with a gap in a log has not dealt
//             with a loss. `verdicts` says what each was; where it does not (an entry of an earlier
//             build), what is lost, missing or in doubt was not known to be
//   reopen    whatever closed the incident that holds this message does not count any more
//   aware     somebody became aware of the incident that holds this message: 72 hours run
//   notified  the authority was notified of these messages: the 72 hours of an awareness end when
//             all of its messages that are still in the incident were. What joins later, or is
//             merged with them, has its own once somebody is aware of it
//   taken_back  the entry with that number says nothing any more
//
// Pure. Thread-safety: pure functions. Bounds: kDecisionMessagesMax an entry. Cost: O(n log n) a
// decision at most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/incidents/incidents.h"

namespace meldevakt::collector {

inline constexpr std::size_t kDecisionMessagesMax = 10'000;

enum class DecisionKind : std::uint8_t {
  kMerge,
  kSplit,
  kClose,
  kReopen,
  kAware,
  kNotified,
  kTakenBack
};
[[nodiscard]] std::string_view to_string(DecisionKind kind);  // "merge", ...
[[nodiscard]] std::optional<DecisionKind> decision_kind_from_string(std::string_view text);

struct IncidentDecision {
  std::uint64_t number = 0;  // of the entry in the tenant's ledger of decisions
  Instant told;
  std::string person;
  std::string note;  // "" or why
  DecisionKind kind = DecisionKind::kClose;
  std::vector<std::string> messages;  // sorted; empty for kTakenBack
  std::vector<Verdict> verdicts{};    // of kClose: what each of `messages` was; or empty
  std::optional<Instant> aware;       // of kAware
  std::optional<Instant> notified{};  // of kNotified
  std::string reference{};            // of kNotified: the authority's or our own; or ""
  std::uint64_t entry = 0;            // of kTakenBack
  auto operator<=>(const IncidentDecision&) const = default;
};

// kInvalid, saying what is expected.
[[nodiscard]] Status check_decision(const IncidentDecision& decision);

// Sorted as group_incidents() sorts. The reason of an incident says in words what people decided,
// and why one that was closed is open again.
[[nodiscard]] std::vector<Incident> apply_decisions(const Correlation& all,
                                                    const std::vector<Incident>& grouped,
                                                    const std::vector<IncidentDecision>& entries);

// The earliest awareness that is recorded of an incident.
[[nodiscard]] std::optional<Instant> aware_of(const Incident& incident,
                                              const std::vector<IncidentDecision>& entries);

}  // namespace meldevakt::collector
