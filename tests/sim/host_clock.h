// The clock of a simulated host: slowly ahead of true time and back, then behind and back, as one
// whose synchronisation swings. It never goes backwards.
//
//   const HostClock clock{seed};
//   clock.host_time(true_time)      // what a log on that host says
//   clock.offset(true_time)         // how far it is ahead
//
// Pure. Thread-safety: plain value.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/base/time.h"

namespace meldevakt::sim {

class HostClock {
 public:
  static constexpr Duration kOffsetMax = milliseconds(1'800);
  static constexpr Duration kOffsetLeast = milliseconds(600);
  static constexpr Duration kPeriod = days(9);

  HostClock() = default;  // one that is right
  explicit HostClock(std::uint64_t seed)
      : most_{milliseconds(kOffsetLeast.ms +
                           static_cast<std::int64_t>(seed % static_cast<std::uint64_t>(
                                                                kOffsetMax.ms - kOffsetLeast.ms)))},
        phase_{static_cast<std::int64_t>(seed / 1'200 % static_cast<std::uint64_t>(kPeriod.ms))} {}

  // A triangle between -most_ and most_.
  [[nodiscard]] Duration offset(Instant time) const {
    if (most_.ms == 0) return {};
    const std::int64_t half = kPeriod.ms / 2;
    const std::int64_t at = (time.ms + phase_) % kPeriod.ms;
    const std::int64_t from_peak = at < half ? at : kPeriod.ms - at;  // 0 at the peak
    return milliseconds(most_.ms - 2 * most_.ms * from_peak / half);
  }
  [[nodiscard]] Instant host_time(Instant time) const { return time + offset(time); }
  // The first true time at which the host's clock says `host`, or more.
  [[nodiscard]] Instant true_time(Instant host) const {
    Instant time = host - most_;
    while (host_time(time) < host) time = time + std::max(milliseconds(1), host - host_time(time));
    return time;
  }
  [[nodiscard]] Duration most() const { return most_; }  // that it is ever off

 private:
  Duration most_{};
  std::int64_t phase_ = 0;
};

}  // namespace meldevakt::sim
