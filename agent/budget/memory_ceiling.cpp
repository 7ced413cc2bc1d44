#include "agent/budget/memory_ceiling.h"

namespace meldevakt::agent {

bool MemoryCeiling::reaches(std::uint32_t percent, bool inside) const {
  const std::uint64_t from = allowed_ / 100 * (percent - (inside ? kLeavePercent : 0));
  return resident_ >= from;
}

MemoryStage MemoryCeiling::observe(std::uint64_t resident_bytes) {
  resident_ = resident_bytes;
  if (reaches(kFullPercent, stage_ == MemoryStage::kFull)) {
    stage_ = MemoryStage::kFull;
  } else if (reaches(kTightPercent, stage_ != MemoryStage::kEasy)) {
    stage_ = MemoryStage::kTight;
  } else {
    stage_ = MemoryStage::kEasy;
  }
  return stage_;
}

}  // namespace meldevakt::agent
