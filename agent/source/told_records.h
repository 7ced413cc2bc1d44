// Which records of one Windows event log were told already: copies of a log overlap, come late, and
// a log that was cleared counts anew.
//
//   ToldRecords told;
//   if (!told.holds(place)) { if (told.misses_before(place)) ...; told.add(place); }
//
// Kept as runs of numbers without a hole, each with the span of its times: a number is the same
// record only where the time fits. Times are compared as event_bookmark.h says.
//
// Pure. Thread-safety: none. Bounds: kToldRunsMax runs; of more the oldest is forgotten, and what
// it held would be told again, with the ids it had. Errors: kCorrupt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/source/event_bookmark.h"
#include "common/base/result.h"

namespace meldevakt::agent {

inline constexpr std::size_t kToldRunsMax = 1024;

class ToldRecords {
 public:
  [[nodiscard]] bool empty() const { return runs_.empty(); }
  [[nodiscard]] bool holds(const EventPlace& place) const;
  // Whether its number is the one behind a record that was told, as far as the time allows.
  [[nodiscard]] bool leads_to(const EventPlace& place) const;
  // How many numbers are missing between this and the newest told before it in time; 1 also where
  // the log was cleared in between; 0 when nothing was told before it, or told records lead to it.
  [[nodiscard]] std::uint64_t missing_before(const EventPlace& place) const;
  // REQUIRES: !holds(place).
  void add(const EventPlace& place);

  // A line a run: first and last number, earliest and latest time.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] static Result<ToldRecords> parse(std::string_view text);

 private:
  struct Run {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::string from;
    std::string to;
  };
  std::vector<Run> runs_;  // in the order in which they were begun
};

}  // namespace meldevakt::agent
