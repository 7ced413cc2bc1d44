// The agent's own timeline: wall clock, but never backwards, because statements tile it.
//
// While the wall clock is behind (it was set back), the timeline goes on at half speed until the
// wall clock has caught up; behind() then says that nothing may be claimed to be read "until now",
// for the logs are written in the wall clock's time.
//
// Thread-safety: none. One advance() a turn.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/time.h"
#include "common/ports/clock.h"

namespace meldevakt::agent {

class AgentTime {
 public:
  // `not_before`: the end of the newest statement.
  AgentTime(Clock& clock, Instant not_before);

  void advance();
  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] std::int64_t boot_ns() const { return boot_ns_; }
  [[nodiscard]] bool behind() const { return behind_; }
  // Wall and boot clock went different ways by more than a second since the last call.
  [[nodiscard]] bool take_stepped();

 private:
  Clock& clock_;
  Instant now_;
  Instant wall_;
  std::int64_t boot_ns_ = 0;
  std::int64_t drift_ms_ = 0;  // wall minus boot, since take_stepped
  bool behind_ = false;
};

}  // namespace meldevakt::agent
