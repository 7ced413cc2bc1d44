#include "agent/budget/memory_ceiling.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace meldevakt::agent {
namespace {

TEST_CASE("MemoryCeiling: stages are entered at their bound and left below it") {
  struct Case {
    std::uint64_t resident_mb;
    MemoryStage want;
  };
  const std::vector<Case> cases{
      {0, MemoryStage::kEasy},   {84, MemoryStage::kEasy},  {85, MemoryStage::kTight},
      {81, MemoryStage::kTight}, {79, MemoryStage::kEasy},  {84, MemoryStage::kEasy},
      {99, MemoryStage::kTight}, {100, MemoryStage::kFull}, {96, MemoryStage::kFull},
      {94, MemoryStage::kTight}, {99, MemoryStage::kTight}, {500, MemoryStage::kFull},
      {95, MemoryStage::kFull},  {10, MemoryStage::kEasy},
  };
  MemoryCeiling ceiling{100'000'000};
  for (const Case& c : cases) {
    CAPTURE(c.resident_mb);
    CHECK(ceiling.observe(c.resident_mb * 1'000'000) == c.want);
    CHECK(ceiling.stage() == c.want);
    CHECK(ceiling.resident() == c.resident_mb * 1'000'000);
  }
}

TEST_CASE("MemoryCeiling: a system that does not say what is used stops nothing") {
  MemoryCeiling ceiling{16'000'000};
  CHECK(ceiling.observe(0) == MemoryStage::kEasy);
}

}  // namespace
}  // namespace meldevakt::agent
