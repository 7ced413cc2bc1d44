// Times of overload of a whole municipality: what its sources and agents saw at one time is one.
//
//   for (const Overload& overload : overloads_of(input)) ...
//
// Windows of several sources whose times touch make one overload; so do windows of one source no
// further apart than an agent itself takes for one (kWindowIdle): which of them it told as two
// depends on the order in which it read. What clocks may err brings nothing together: else errors
// of half an hour would make one long overload of a day's single signals.
//
// It is *suspected* where software of one source logged hard signals, and *confirmed* where a
// second source saw it at a time that overlaps whatever the clocks err, or a metric went over its
// limit. Several records of one source are one witness, and so are copies of what one program
// logged: sources of one agent, of packs of one product (whose ids begin with the same word), one
// of which says nothing within kCopyApart that the other does not say. SQL Server's errors in the
// Windows event log are such copies of its ERRORLOG. Of two agents only what is the same to the
// millisecond is: they read one file.
//
// The driver: work that lasted (a backup, CHECKDB) and encloses all of it, as far as the agents'
// clocks say, whatever source tells of it; otherwise the most telling cause that any source names
// (a backup, a full log or disk, memory, locks) before what overload merely looks like (timeouts,
// slowness); of two alike the one with more signals.
//
// A window is a fact with an id of its own, so it does not matter whether the log was followed,
// read a day late or scanned, nor who tells of it how often. Pure. Thread-safety: pure function.
// Cost: O(n log n), and O(n) times the sources that are overloaded at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collector/correlate/correlate.h"

namespace meldevakt::collector {

inline constexpr Duration kWindowIdle = seconds(60);
// How far apart one program may date two copies of one record; one of the two may be cut.
inline constexpr Duration kCopyApart = seconds(1);

// How bad the worst of its signals is: work was *slowed* (locks, slow disks, a backup), it *failed*
// (timeouts, deadlocks, lost connections, memory that ran out), or none could be done at all
// because something was full or *refused*.
enum class OverloadSeverity : std::uint8_t { kSlowed, kFailing, kRefusing };
[[nodiscard]] std::string_view to_string(OverloadSeverity severity);
[[nodiscard]] OverloadSeverity severity_of(Signal signal);

enum class OverloadState : std::uint8_t { kSuspected, kConfirmed };
[[nodiscard]] std::string_view to_string(OverloadState state);

struct Overload {
  Interval span;
  OverloadState state = OverloadState::kSuspected;
  OverloadSeverity severity = OverloadSeverity::kSlowed;
  std::string driver;                                          // a code; "" when nothing says
  std::vector<std::pair<std::string, std::string>> witnesses;  // agent and source, sorted
  std::vector<WindowFact::Count> signals;                      // of all of them, sorted
  std::uint64_t metrics = 0;                                   // of the signals: samples
  std::vector<std::string> evidence;                           // fact ids, sorted
};

// Sorted by start.
[[nodiscard]] std::vector<Overload> overloads_of(const TenantInput& input);

}  // namespace meldevakt::collector
