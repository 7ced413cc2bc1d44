// Holds the process to [budget] cpu and memory by pacing its reading: CpuPace and MemoryCeiling
// with this process behind them. The log files are the buffer; sealing and shipping never wait.
//
//   const std::size_t bytes = keeper.begin(steady_ns);      // 0: no reading in this turn
//   ... read ...
//   keeper.has_read(steady_ns, got, more);
//   wait(keeper.rest(steady_ns, poll));
//
// Says in the log, once each time, when reading pauses for memory and when it goes on.
//
// Thread-safety: none. Errors: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "agent/app/config.h"
#include "agent/app/log.h"
#include "agent/budget/cpu_pace.h"
#include "agent/budget/memory_ceiling.h"
#include "common/ports/process_meter.h"

namespace meldevakt::agent {

struct BudgetUse {
  std::uint32_t cpu_permille = 0;  // of a core, over the last minute
  std::uint32_t cpu_percent_allowed = 0;
  std::uint64_t memory_bytes = 0;
  std::uint64_t memory_bytes_allowed = 0;
  MemoryStage memory = MemoryStage::kEasy;
  std::optional<Duration> paced_for;  // how long there has been more to read than the budget lets
  double cost_ns_per_byte = 0;
};

class BudgetKeeper {
 public:
  BudgetKeeper(const Config::Budget& budget, ProcessMeter& meter, Log& log)
      : pace_{budget.cpu_percent},
        percent_{budget.cpu_percent},
        ceiling_{budget.memory_bytes},
        meter_{meter},
        log_{log} {}

  [[nodiscard]] std::size_t begin(std::int64_t steady_ns);
  // `more`: there is more to read at once.
  void has_read(std::int64_t steady_ns, std::size_t bytes, bool more);
  // There is more to do beside reading, which may be done when begin() is not 0.
  void has_more_work() { more_ = true; }
  [[nodiscard]] bool is_memory_full() const { return ceiling_.stage() == MemoryStage::kFull; }
  // How long the loop may wait. `eager`: something is about to be sealed, `poll` is not exceeded.
  [[nodiscard]] Duration rest(std::int64_t steady_ns, Duration poll, bool eager) const;
  [[nodiscard]] BudgetUse use(std::int64_t steady_ns) const;

 private:
  [[nodiscard]] CpuMoment moment(std::int64_t steady_ns) { return {steady_ns, meter_.cpu_ns()}; }
  void watch_memory(std::int64_t steady_ns);

  CpuPace pace_;
  std::uint32_t percent_;
  MemoryCeiling ceiling_;
  ProcessMeter& meter_;
  Log& log_;
  std::optional<std::int64_t> quiet_since_;  // nothing has been read since then
  std::optional<std::int64_t> measured_at_;
  std::optional<std::int64_t> trimmed_at_;
  bool more_ = false;
  bool has_read_ever_ = false;
};

}  // namespace meldevakt::agent
