#include "agent/app/agent_time.h"

#include <algorithm>
#include <utility>

namespace meldevakt::agent {
namespace {

constexpr std::int64_t kStepMs = 1000;

}  // namespace

AgentTime::AgentTime(Clock& clock, Instant not_before)
    : clock_{clock}, wall_{clock.now()}, boot_ns_{clock.boot_ns()} {
  now_ = std::max(wall_, not_before);
  behind_ = wall_ < now_;
}

void AgentTime::advance() {
  const Instant wall = clock_.now();
  const std::int64_t boot = clock_.boot_ns();
  const std::int64_t passed_ms = std::max<std::int64_t>(0, (boot - boot_ns_) / 1'000'000);
  drift_ms_ += (wall - wall_).ms - passed_ms;
  wall_ = wall;
  boot_ns_ += passed_ms * 1'000'000;  // what is less than a millisecond is kept for the next turn
  behind_ = wall < now_;
  now_ = behind_ ? std::max(wall, now_ + milliseconds(passed_ms / 2)) : wall;
}

bool AgentTime::take_stepped() {
  const std::int64_t drift = std::exchange(drift_ms_, 0);
  return drift > kStepMs || drift < -kStepMs;
}

}  // namespace meldevakt::agent
