// The machine's clocks behind common/ports/clock.h. POSIX: CLOCK_REALTIME, CLOCK_BOOTTIME,
// CLOCK_MONOTONIC, /proc/sys/kernel/random/boot_id. Thread-safety: safe for concurrent use.
#pragma once

#include "common/ports/clock.h"

namespace meldevakt {

class SystemClock : public Clock {
 public:
  [[nodiscard]] Instant now() override;
  [[nodiscard]] std::int64_t boot_ns() override;
  [[nodiscard]] std::string boot_id() override;
};

// Time since boot without what the machine was suspended (CLOCK_MONOTONIC); never steps.
[[nodiscard]] std::int64_t awake_ns();

struct ClockQuality {
  bool synchronised = false;
  // What the kernel says; meaningless unless synchronised. The offset is what it still corrects
  // (positive: the clock is behind), the error the bound of what its time source can vouch for.
  std::int64_t offset_us = 0;
  std::int64_t max_error_us = 0;
};
[[nodiscard]] ClockQuality clock_quality();  // adjtimex(2), read only

}  // namespace meldevakt
