// What this process uses, as the budgets need it. Implemented by common/platform, and by
// common/testing by hand.
//
// Thread-safety: implementations are safe for concurrent use.
#pragma once

#include <cstdint>

namespace meldevakt {

class ProcessMeter {
 public:
  virtual ~ProcessMeter() = default;

  // CPU time of all threads since the process began; never goes back.
  [[nodiscard]] virtual std::int64_t cpu_ns() = 0;
  // Memory in use, as the system counts it; 0 when it does not say.
  [[nodiscard]] virtual std::uint64_t resident_bytes() = 0;
  // Gives memory that is free inside the process back to the system.
  virtual void trim() = 0;
};

}  // namespace meldevakt
