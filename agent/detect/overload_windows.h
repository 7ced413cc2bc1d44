// Times of overload as one source sees them: signals near each other in event time make a window.
//
//   windows.observe(event, id);                 // an event that counts, or a backup's start or end
//   windows.pass(event.time, event.time);       // any event: time has got this far
//   if (auto fact = windows.tell(...)) ...      // when somebody should hear of it (again)
//
// A window starts at its first signal and ends with its last; it is over when `idle` of event time
// has passed without another. A metric's signal has a length: from when it went over its limit, or
// from the sample before, to this one. At most one is open. A backup that started before the window
// and was not finished before the window's last signal encloses it and is then its driver;
// otherwise the most specific cause named most often is: a cause that a rule names before one that
// only the signal names, and before timeouts and slowness, which are what overload looks like and
// not why.
//
// Times in doubt: what is told of a window reaches as far to both sides as the least certain of
// its signals may be off.
//
// Revision: it grows with each change of what the window says, so that equal revisions say the
// same. Pure; decided by the order of calls alone, but for when it is told. Thread-safety: none.
// Bounds: kDriversMax causes counted by name, kBackupsMax backups remembered.
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

struct OverloadBackup {
  Instant started;
  std::optional<Instant> ended;
};

struct OverloadDriver {
  int rank = 0;  // how much it says: 2 named by a rule, 1 by the signal, 0 a symptom
  std::uint64_t count = 0;
};

struct OverloadWindow {
  std::string id;
  std::string rule;
  Interval span;
  std::map<Signal, std::uint64_t> signals;
  std::map<std::string, OverloadDriver> drivers;
  std::uint64_t metrics = 0;  // of the signals: samples of a metric over its limit
  Duration time_error;        // of the least certain of the signals
  std::uint32_t changes = 0;
  Instant changed;                    // wall time of the last telling, or of the first signal
  std::optional<std::uint32_t> told;  // revision
};

class OverloadWindows {
 public:
  static constexpr std::size_t kDriversMax = 32;
  static constexpr std::size_t kBackupsMax = 8;
  // A backup whose end nobody logged is not taken to run longer than this.
  static constexpr Duration kBackupMax = hours(24);

  struct Settings {
    Duration idle;         // event time
    Duration first_after;  // wall time from its first signal until it is told
    Duration refresh;      // wall time between revisions while it is open
  };
  using Backup = OverloadBackup;
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

  // `event` must have a signal. `id` names the window, should it be the first of one. A window that
  // is over because of it is returned as it ended.
  [[nodiscard]] std::optional<Told> observe(const SignalEvent& event, const std::string& id,
                                            Instant now);
  // An event of any kind, before observe(): closes a window that is over. `from`: since when what
  // the event tells of has lasted.
  [[nodiscard]] std::optional<Told> pass(Instant from, Instant time);
  // What should be heard now of the open window, if anything. `watermark`: see Detector::idle.
  [[nodiscard]] std::optional<Told> tell(Instant watermark, Instant now);

  // For snapshots.
  [[nodiscard]] const std::optional<Window>& window() const { return window_; }
  [[nodiscard]] const std::vector<Backup>& backups() const { return backups_; }
  void restore(std::optional<Window> window, std::vector<Backup> backups) {
    window_ = std::move(window);
    backups_ = std::move(backups);
  }

 private:
  [[nodiscard]] Told view(bool open) const;
  [[nodiscard]] std::string driver() const;
  void count(const SignalEvent& event);
  void note_backup(const SignalEvent& event);

  Settings settings_;
  std::optional<Window> window_;
  std::vector<Backup> backups_;  // in order of records
};

}  // namespace meldevakt::agent
