// This process behind common/ports/process_meter.h. POSIX: CLOCK_PROCESS_CPUTIME_ID,
// /proc/self/statm, malloc_trim. Thread-safety: safe for concurrent use.
#pragma once

#include "common/ports/process_meter.h"

namespace meldevakt {

class SystemProcessMeter : public ProcessMeter {
 public:
  [[nodiscard]] std::int64_t cpu_ns() override;
  [[nodiscard]] std::uint64_t resident_bytes() override;
  void trim() override;
};

}  // namespace meldevakt
