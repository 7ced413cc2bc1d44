// What one tenant's incidents have in common with others', one change at a time: for each cause, of
// how many messages it is and since when. What systemic_incidents() (signatures.h) is asked with
// while the collector runs.
//
//   CauseWatch watch;
//   correlator.settle(now, [&](const Correlator::Change& change) { watch.note(change.message); });
//   ask(watch.parts());
//
// Equals the causes of group_incidents() over the same messages, but for `stored_after_receipt`:
// of those there may be as many as messages, and the tenant's LatentFault tells of them.
//
// Pure. Thread-safety: none. Memory: the messages that belong to an incident. Cost: O(log n) a
// change.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "collector/incidents/incidents.h"

namespace meldevakt::collector {

class CauseWatch {
 public:
  void note(const MessageVerdict& message);  // as it is now
  void drop(const std::string& message);
  void clear();

  [[nodiscard]] std::vector<CausePart> parts() const;  // sorted by cause

 private:
  struct Place {
    std::string cause;
    Instant time;
    Verdict verdict = Verdict::kPending;
  };
  struct Cause {
    std::set<std::pair<Instant, std::string>> messages;  // by when
    std::map<int, std::uint64_t> severities;             // and how many are that bad
  };
  std::unordered_map<std::string, Place> places_;
  std::map<std::string, Cause> causes_;
};

}  // namespace meldevakt::collector
