// An agent that has told nothing for longer than it should: an alarm a silence, recorded once. The
// store closes it with the agent's next statement (store.h); both are entries of the tenant's log.
//
//   SilenceWatch watch{store, config.silent_after, clock.now()};
//   for (const Alarm& alarm : watch.look(clock.now()).value()) log(alarm.detail);    // once a
//   minute
//
// Nobody is silent for the time in which nobody listened: what was not heard before `listening`, or
// while nobody looked (the machine slept, its clock was set, the store could not be read or
// written), is counted from then. An agent that never told anything is counted from its enrolment.
// Thread-safety: the store's strand. Errors: of the store.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "collector/store/store.h"

namespace meldevakt::collector {

// Looks that lie further apart than this, or the other way round, were not all the time between.
inline constexpr Duration kSilenceLookMax = minutes(3);

class SilenceWatch {
 public:
  SilenceWatch(Store& store, Duration silent_after, Instant listening)
      : store_{store}, silent_after_{silent_after}, listening_{listening}, looked_{listening} {}

  // Those that are silent now and were not when it last looked; `done`: an error where that is not
  // all.
  struct Looked {
    std::vector<Alarm> silent;
    Status done;
  };
  [[nodiscard]] Looked look(Instant now);

 private:
  [[nodiscard]] Status look_at_all(Instant now, std::vector<Alarm>& out);
  [[nodiscard]] Status look_at(const AgentRecord& agent, Instant now, std::vector<Alarm>& out);

  Store& store_;
  Duration silent_after_;
  Instant listening_;
  Instant looked_;
  std::set<std::pair<std::string, Instant>> recorded_;  // agent, and when it was last heard
};

}  // namespace meldevakt::collector
