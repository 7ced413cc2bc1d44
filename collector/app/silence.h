// An agent that has told nothing for longer than it should: an alarm a silence, recorded once. The
// store closes it with the agent's next statement (store.h); both are entries of the tenant's log.
//
//   SilenceWatch watch{store, config.silent_after, listening_since(path, clock.now())};
//   for (const Alarm& alarm : watch.look(clock.now()).silent) log(alarm.detail);   // once a minute
//
// Nobody is silent for the time in which nobody listened: what was not heard before `listening`, or
// while nobody looked (the machine slept, its clock was set, what the store has of the tenant could
// not be read or written), is counted from then. A restart of kSilenceLookMax at most went on
// listening (note(), listening_since()). An agent that never told anything is counted from its
// enrolment; of one that the register says is not used any more nothing is expected, and what told
// of its silence is closed.
// Thread-safety: the store's strand. Errors: of the store.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "collector/registry/registry.h"
#include "collector/store/store.h"

namespace meldevakt::collector {

// Looks that lie further apart than this, or the other way round, were not all the time between.
inline constexpr Duration kSilenceLookMax = minutes(3);
inline constexpr std::size_t kListenedBytesMax = 1024;

struct Listening {
  Instant since;
  Instant looked;  // the last time
};
// From when on it has been listened, as noted in the file at `path`; from `now` where that is long
// ago, not there or damaged.
[[nodiscard]] Listening listening_since(const std::string& path, Instant now);

class SilenceWatch {
 public:
  SilenceWatch(Store& store, Duration silent_after, const Listening& listening)
      : store_{store},
        silent_after_{silent_after},
        listening_{listening.since},
        looked_{listening.looked} {}

  // Those that are silent now and were not when it last looked; `done`: an error where that is not
  // all.
  struct Looked {
    std::vector<Alarm> silent;
    Status done;
  };
  [[nodiscard]] Looked look(Instant now);
  // For the next process: that it was listened until the last look.
  [[nodiscard]] Status note(const std::string& path) const;

 private:
  [[nodiscard]] Status look_at_tenant(const std::string& tenant, Instant now,
                                      std::vector<Alarm>& out);
  [[nodiscard]] Status look_at(const AgentRecord& agent, Instant in_use, Instant listening,
                               Instant now, std::vector<Alarm>& out);
  [[nodiscard]] Status close_unused(const AgentRecord& agent, const std::vector<Alarm>& stored,
                                    Instant now);

  Store& store_;
  Duration silent_after_;
  Instant listening_;
  Instant looked_;
  std::map<std::string, Instant> deaf_;  // tenant, and until when it could not be heard
  std::set<std::pair<std::string, Instant>> recorded_;  // agent, and since when it is silent
};

}  // namespace meldevakt::collector
