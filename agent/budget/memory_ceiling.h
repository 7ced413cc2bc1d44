// What to give up as the process nears its memory ceiling, in this order:
//
//   kEasy   nothing
//   kTight  from 85 % on: reads become small, and free memory goes back to the system every
//           kTrimEvery
//   kFull   from 100 % on: reading pauses (the log file is the buffer); sealing and shipping go on,
//           and free up what they can
//
// Each stage is left a little below where it is entered, so that it does not flicker.
//
//   MemoryCeiling ceiling{64'000'000};
//   switch (ceiling.observe(resident_bytes)) ...
//
// Pure. Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/base/time.h"

namespace meldevakt::agent {

enum class MemoryStage : std::uint8_t { kEasy, kTight, kFull };

class MemoryCeiling {
 public:
  static constexpr std::uint32_t kTightPercent = 85;
  static constexpr std::uint32_t kFullPercent = 100;
  static constexpr std::uint32_t kLeavePercent = 5;  // below where it was entered
  static constexpr Duration kTrimEvery = seconds(10);
  static constexpr std::size_t kTightBytes = 64 * 1024;  // a turn

  explicit MemoryCeiling(std::uint64_t allowed_bytes) : allowed_{allowed_bytes} {}

  MemoryStage observe(std::uint64_t resident_bytes);
  [[nodiscard]] MemoryStage stage() const { return stage_; }
  [[nodiscard]] std::uint64_t resident() const { return resident_; }
  [[nodiscard]] std::uint64_t allowed() const { return allowed_; }

 private:
  [[nodiscard]] bool reaches(std::uint32_t percent, bool inside) const;

  std::uint64_t allowed_;
  std::uint64_t resident_ = 0;
  MemoryStage stage_ = MemoryStage::kEasy;
};

}  // namespace meldevakt::agent
