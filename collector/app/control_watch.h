// A daily control that did not run: an alarm a miss, stored once, and closed when one has run. Both
// are entries of the tenant's log, so that nobody can say later that it was controlled every day.
//
//   ControlWatch watch{store, config.control.schedule, *zone};
//   for (const Alarm& alarm : watch.look(clock.now()).missed) log(alarm.detail);   // once a minute
//
// Look before what is due is run: a control that runs late, because nobody served, was missed.
// Thread-safety: the store's strand. Errors: of the store; what could be written is.
#pragma once

#include <string>
#include <vector>

#include "collector/app/standing_control.h"
#include "collector/store/store.h"
#include "common/ports/time_zone.h"

namespace meldevakt::collector {

class ControlWatch {
 public:
  ControlWatch(Store& store, const ControlSchedule& schedule, const TimeZone& zone)
      : store_{store}, schedule_{schedule}, zone_{zone} {}

  // Those that were missed and were not when it last looked; `done`: an error where that is not
  // all.
  struct Looked {
    std::vector<Alarm> missed;
    Status done;
  };
  [[nodiscard]] Looked look(Instant now);
  // The same of one tenant: after its control has run.
  [[nodiscard]] Status look_at(const std::string& tenant, Instant now, std::vector<Alarm>& out);

 private:
  [[nodiscard]] Status look_at_all(Instant now, std::vector<Alarm>& out);

  Store& store_;
  ControlSchedule schedule_;
  const TimeZone& zone_;
};

}  // namespace meldevakt::collector
