#include "common/platform/process_meter.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

namespace meldevakt {
namespace {

TEST_CASE("SystemProcessMeter: CPU time grows with work, memory with what is touched") {
  SystemProcessMeter meter;
  const std::int64_t before = meter.cpu_ns();
  std::uint64_t sum = 0;
  while (meter.cpu_ns() - before < 5'000'000) ++sum;
  CHECK(sum > 0);
  CHECK(meter.cpu_ns() >= before + 5'000'000);

  const std::uint64_t small = meter.resident_bytes();
  REQUIRE(small > 100'000);
  const std::string block(32 * 1024 * 1024, 'x');
  CHECK(meter.resident_bytes() >= small + block.size() / 2);
  meter.trim();
  CHECK(block.back() == 'x');
}

}  // namespace
}  // namespace meldevakt
