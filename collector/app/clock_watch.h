// An agent whose times do not fit the time they came: an alarm while that is so, stored once and
// closed when what it tells fits again. Both are entries of the tenant's log, so that a clock which
// ran a day wrong is known afterwards, too, and not only to who looked on that day.
//
//   ClockWatch watch{store};
//   for (const Alarm& alarm : watch.look(clock.now()).wrong) log(alarm.detail);   // once a minute
//
// Thread-safety: the store's strand. Errors: of the store; what could be written is.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/report/times_ahead.h"
#include "collector/store/store.h"

namespace meldevakt::collector {

inline constexpr std::string_view kClockAhead = "clock_ahead";    // by more than kAheadMax
inline constexpr std::string_view kClockBehind = "clock_behind";  // by more than kBehindMax

// What came last may end so long before it came: a short outage is no slow clock.
inline constexpr Duration kBehindMax = hours(12);

// What it told last, against when that came; nullopt: it fits, or it told nothing yet.
[[nodiscard]] std::optional<Alarm> wrong_clock(const AgentRecord& agent);

class ClockWatch {
 public:
  explicit ClockWatch(Store& store) : store_{store} {}

  // Those that are wrong now and were not when it last looked; `done`: an error where that is not
  // all.
  struct Looked {
    std::vector<Alarm> wrong;
    Status done;
  };
  [[nodiscard]] Looked look(Instant now);

 private:
  [[nodiscard]] Status look_at(const std::string& tenant, Instant now, std::vector<Alarm>& out);

  Store& store_;
};

}  // namespace meldevakt::collector
