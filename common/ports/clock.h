// The clocks, as our code needs them. Implemented by common/platform, and by common/testing by
// hand.
//
// Thread-safety: implementations are safe for concurrent use.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/time.h"

namespace meldevakt {

class Clock {
 public:
  virtual ~Clock() = default;

  [[nodiscard]] virtual Instant now() = 0;  // wall clock, UTC; may step

  // Time since boot, suspended time included (CLOCK_BOOTTIME); never steps.
  [[nodiscard]] virtual std::int64_t boot_ns() = 0;

  // Changes at every boot of the machine; "" when the system has none.
  [[nodiscard]] virtual std::string boot_id() = 0;
};

}  // namespace meldevakt
