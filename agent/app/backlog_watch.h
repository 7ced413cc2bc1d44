// How far behind one source is read, and the warning when rotation will overtake it: once, and
// again only after the danger was over.
//
//   backlog.observe(turn, now);
//   if (const std::string warning = backlog.take_warning(); !warning.empty()) log.warn(warning);
//
// Thread-safety: none. Pure but for its memory; `now` is the agent's own timeline (agent_time.h).
#pragma once

#include <cstdint>
#include <string>

#include "agent/budget/rotation_forecast.h"
#include "agent/source/source_reader.h"
#include "common/base/time.h"

namespace meldevakt::agent {

class BacklogWatch {
 public:
  explicit BacklogWatch(RotationPace known = {}) : rotation_{known} {}

  void observe(const SourceTurn& turn, Instant now);
  // "" when there is nothing to say.
  [[nodiscard]] std::string take_warning();

  [[nodiscard]] std::uint64_t unread() const { return unread_; }
  [[nodiscard]] const RotationPace& rotation() const { return rotation_; }
  [[nodiscard]] const Forecast& forecast() const { return forecast_; }

 private:
  // A forecast that changes with every turn helps nobody.
  static constexpr Duration kForecastEvery = seconds(5);

  ThroughputWatch throughput_;
  RotationPace rotation_;
  std::uint64_t read_ = 0;
  std::uint64_t unread_ = 0;
  std::uint64_t deleted_ = 0;  // as the reader counts
  Instant forecast_at_;
  Forecast forecast_;
  bool said_ = false;
};

}  // namespace meldevakt::agent
