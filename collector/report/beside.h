// What stands beside a message and an incident in every report: the deadlines that run and how
// urgent they are, the overload of the whole municipality at that time, commits without a name that
// could be a message's, and rows of the portal that contradict each other.
//
//   const Beside beside{{correlation, relaxed, overloads, conflicts, decisions}};
//   message_json(message, tenant, beside.of(message));
//
// Pure. Thread-safety: const. Ownership: keeps references to what it is given and to what that
// holds; the caller keeps both. Bounds: kBesideMax of each list.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/correlate/overload.h"
#include "collector/correlate/relaxed.h"
#include "collector/incidents/decisions.h"
#include "collector/incidents/receipt_conflicts.h"
#include "collector/incidents/running_clocks.h"

namespace meldevakt::collector {

inline constexpr std::size_t kBesideMax = 16;

struct MessageBeside {
  std::vector<RunningClock> clocks;
  std::vector<const RelaxedMatch*> relaxed;  // commits that could be its
  std::vector<const Overload*> overloads;    // that its windows are part of
  std::vector<std::string> contradictions;   // fields of the portal's rows
};

struct IncidentBeside {
  std::optional<Instant> aware;  // the earliest, as told
  std::vector<RunningClock> clocks;
  std::optional<ClockLevel> level;  // nullopt: nothing runs
  std::vector<const Overload*> overloads;
};

class Beside {
 public:
  struct Of {
    const Correlation& correlation;
    const std::vector<RelaxedMatch>& relaxed;
    const std::vector<Overload>& overloads;
    const std::vector<ReceiptConflict>& conflicts;
    const std::vector<IncidentDecision>& decisions;
  };
  explicit Beside(const Of& known);

  [[nodiscard]] MessageBeside of(const MessageVerdict& message) const;
  [[nodiscard]] IncidentBeside of(const Incident& incident) const;

 private:
  [[nodiscard]] const MessageVerdict* find(std::string_view message) const;
  void add_overloads(const MessageVerdict& message, std::vector<const Overload*>& out) const;

  Of known_;
  std::map<std::string_view, std::vector<const RelaxedMatch*>> relaxed_;  // by message
  std::map<std::string_view, const Overload*> overloads_;                 // by a window's fact
  std::map<std::string_view, const ReceiptConflict*> conflicts_;          // by message
};

}  // namespace meldevakt::collector
