// A process whose CPU time and memory a test sets by hand. Thread-safety: none.
#pragma once

#include <cstdint>
#include <functional>

#include "common/ports/process_meter.h"

namespace meldevakt::testing {

class ManualProcessMeter : public ProcessMeter {
 public:
  [[nodiscard]] std::int64_t cpu_ns() override { return cpu + (work ? work() : 0); }
  [[nodiscard]] std::uint64_t resident_bytes() override { return resident; }
  void trim() override { ++trims; }

  std::int64_t cpu = 0;
  std::function<std::int64_t()> work;  // CPU time beside `cpu`, asked for at every look
  std::uint64_t resident = 0;
  int trims = 0;
};

}  // namespace meldevakt::testing
