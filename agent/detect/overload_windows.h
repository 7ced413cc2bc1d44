// Times of overload as one source sees them: signals near each other in event time make a window.
//
//   windows.observe(event, id);                 // an event that counts, or a backup's start or end
//   windows.pass(event.time, event.time);       // any event: time has got this far
//   for (Told& told : windows.tell(...)) ...    // what somebody should hear of (again)
//
// A window starts at its first signal and ends with its last; it is over when `idle` of event time
// has passed without another. A signal that comes late (of a log that is read after another)
// belongs to the window it is near to, which is open again by it: the revision says so. Where it
// lies near two, the earlier has it, and who reads them takes both for one: no further apart than
// `idle`. A metric's signal has a length: from when it went over its limit, or from the sample
// before, to this one.
//
// Work whose start was a signal (a backup) lasts until its end is logged: its window reaches so far
// then. Of what only the end is logged, with how long it took (CHECKDB), the window is as long.
//
// The driver: work that began before the window and was not finished before the window's last
// signal encloses it and is its driver (a backup, or what a rule says how long it took: CHECKDB);
// otherwise the most telling cause named most often is: what is full or broken before what waits
// for it (locks), before timeouts and slowness, which are what overload looks like and not why
// (common/summary/driver.h); of two as telling the one that a rule names, not only the signal.
//
// Times in doubt: what is told of a window reaches as far to both sides as the least certain of
// its signals may be off.
//
// Revision: it grows with each change of what the window says, so that equal revisions say the
// same. Pure; decided by the order of calls alone, but for when it is told. Thread-safety: none.
// Bounds: kWindowsMax windows are remembered; of more the oldest is told as it stands and closed
// for good. kDriversMax causes counted by name, kWorksMax backups and the like remembered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/recognise/signal_event.h"
#include "common/base/time.h"
#include "common/summary/fact.h"

namespace meldevakt::agent {

// What explains load while it lasts.
struct LongWork {
  std::string driver;
  Instant started;
  std::optional<Instant> ended;
};

struct OverloadDriver {
  int rank = 0;  // how much it says; more is more
  std::uint64_t count = 0;
};

struct OverloadWindow {
  std::string id;
  std::string rule;
  Interval span;
  std::map<Signal, std::uint64_t> signals;
  std::map<std::string, OverloadDriver> drivers;
  std::uint64_t metrics = 0;       // of the signals: samples of a metric over its limit
  Duration time_error;             // of the least certain of the signals
  std::optional<LongWork> within;  // encloses it; no longer remembered by itself
  std::uint32_t changes = 0;
  bool over = false;
  Instant changed;                    // wall time of the last telling, or of the first signal
  std::optional<std::uint32_t> told;  // revision
};

class OverloadWindows {
 public:
  static constexpr std::size_t kWindowsMax = 16;
  static constexpr std::size_t kDriversMax = 32;
  static constexpr std::size_t kWorksMax = 64;
  // Work of which only the end is logged, with how long it took, is a window when it took so long.
  static constexpr Duration kWorkToldMin = minutes(1);
  // A backup whose end nobody logged is not taken to run longer than this.
  static constexpr Duration kBackupMax = hours(24);

  struct Settings {
    Duration idle;         // event time
    Duration first_after;  // wall time from its first signal until it is told
    Duration refresh;      // wall time between revisions while it is open
  };
  using Driver = OverloadDriver;
  using Window = OverloadWindow;
  // The fields of a fact that this class knows; the detector adds the source.
  struct Told {
    std::string id;
    std::uint32_t revision = 0;
    std::string rule;
    WindowFact fact;
  };

  explicit OverloadWindows(Settings settings) : settings_{settings} {}

  // `event` must have a signal. `id` names the window, should it be the first of one. Returns what
  // had to be told because it is forgotten.
  [[nodiscard]] std::vector<Told> observe(const SignalEvent& event, const std::string& id,
                                          Instant now);
  // An event of any kind, before observe(): windows that are over. `from`: since when what the
  // event tells of has lasted.
  [[nodiscard]] std::vector<Told> pass(Instant from);
  // What should be heard now. `watermark`: see Detector::idle.
  [[nodiscard]] std::vector<Told> tell(Instant watermark, Instant now);

  // For snapshots.
  [[nodiscard]] const std::vector<Window>& windows() const { return windows_; }
  [[nodiscard]] const std::vector<LongWork>& works() const { return works_; }
  void restore(std::vector<Window> windows, std::vector<LongWork> works) {
    windows_ = std::move(windows);
    works_ = std::move(works);
  }

 private:
  [[nodiscard]] Told view(const Window& window) const;
  [[nodiscard]] std::string driver(const Window& window) const;
  [[nodiscard]] Window& window_near(Instant from, Instant to, std::vector<Told>& forgotten);
  static void count(Window& window, const SignalEvent& event, Instant from);
  void note_work(const SignalEvent& event);
  void add_work(LongWork work);
  void end_work(LongWork& work, Instant ended);

  Settings settings_;
  std::vector<Window> windows_;  // in the order in which they were begun
  std::vector<LongWork> works_;  // in order of records
};

}  // namespace meldevakt::agent
