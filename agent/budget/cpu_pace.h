// How much to read now so that the process keeps to its share of a core, averaged over a minute.
//
//   CpuPace pace{2};                                        // percent of one core
//   const std::size_t bytes = pace.allowance({steady_ns, cpu_ns});   // 0: rest
//   ... read at most `bytes` ...
//   pace.has_read({steady_ns, cpu_ns}, got, more);
//   wait(pace.rest(steady_ns));
//
// CPU time lies in a bucket: it holds what kBurst of the budget is worth and is filled at the rate
// of the budget less that burst, so that no minute, wherever it begins, uses more than the budget
// (but for what one read costs more than expected). Who reads for long gets 11/12 of the budget,
// evenly: a read whenever kQuantum of filling is there.
//
// Everything the process uses is charged, also what cannot wait (sealing, sending): reading pays
// for it. Reading never starves: when the rest of the process uses the budget alone, at least
// kBytesLeast are read every kRestMax, and used_permille() tells that the budget is not held.
//
// What a byte costs is learnt; the first read is of kBytesLeast.
//
// 100 percent is no bound: what reads is one thread.
//
// Pure: times in, values out. Thread-safety: none. Suspended time counts as time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "common/base/time.h"

namespace meldevakt::agent {

// One moment on two clocks: one that never steps, and the CPU time of the whole process.
struct CpuMoment {
  std::int64_t steady_ns = 0;
  std::int64_t cpu_ns = 0;
};

class CpuPace {
 public:
  static constexpr Duration kWindow = minutes(1);
  static constexpr Duration kBurst = seconds(5);
  static constexpr Duration kQuantum = milliseconds(200);
  static constexpr Duration kRestMax = seconds(5);
  static constexpr std::size_t kBytesLeast = 16 * 1024;
  static constexpr std::size_t kBytesMost = 1024 * 1024;
  static constexpr std::uint32_t kUnbounded = 100;

  // REQUIRES: 1 <= percent <= 100. The first moment begins the account.
  explicit CpuPace(std::uint32_t percent);

  // How much may be read now; 0 means rest().
  [[nodiscard]] std::size_t allowance(CpuMoment now);
  // `more`: there is more to read at once.
  void has_read(CpuMoment now, std::size_t bytes, bool more);
  // Until something may be read; at most kRestMax.
  [[nodiscard]] Duration rest(std::int64_t steady_ns) const;

  // CPU time of the minute behind us, of one core: 20 is 2 percent.
  [[nodiscard]] std::uint32_t used_permille(std::int64_t steady_ns) const;
  // Since when there has been more to read than the budget lets.
  [[nodiscard]] std::optional<std::int64_t> paced_since_ns() const { return paced_since_; }
  // 0 before anything was read.
  [[nodiscard]] double cost_ns_per_byte() const { return cost_.value_or(0); }

 private:
  [[nodiscard]] bool is_bounded() const { return percent_ < kUnbounded; }
  [[nodiscard]] double level_at(std::int64_t steady_ns) const;
  [[nodiscard]] double quantum() const;
  void charge(CpuMoment now);
  void learn(double spent, std::size_t bytes);

  static constexpr std::size_t kSlots = 60;  // of a second each
  struct Slot {
    std::int64_t second = -1;
    std::int64_t cpu_ns = 0;
  };

  std::uint32_t percent_;
  double fill_;      // ns of CPU a ns
  double capacity_;  // ns of CPU
  double level_;
  std::optional<double> cost_;  // ns of CPU a byte
  std::optional<CpuMoment> last_;
  std::int64_t read_at_ = 0;      // steady, when reading was last allowed
  std::int64_t read_cpu_ns_ = 0;  // CPU time then
  std::optional<std::int64_t> paced_since_;
  std::array<Slot, kSlots> slots_{};
};

// How long to wait for the next look when nothing was found: `poll`, and after a while of quiet
// longer (a twentieth of the quiet, at most kIdlePollMax), so that an idle agent costs little.
inline constexpr Duration kIdlePollMax = milliseconds(500);
[[nodiscard]] Duration idle_wait(Duration quiet, Duration poll);

}  // namespace meldevakt::agent
