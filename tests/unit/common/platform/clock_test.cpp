#include "common/platform/clock.h"

#include <doctest/doctest.h>

#include <ctime>
#include <string>

#include "common/platform/disk.h"

namespace meldevakt {
namespace {

TEST_CASE("SystemClock: the wall clock lies between two readings of the C library's") {
  SystemClock clock;
  const std::time_t before = std::time(nullptr);
  const Instant now = clock.now();
  const std::time_t after = std::time(nullptr);
  // time() may be read from a coarser clock that is a tick behind.
  CHECK(now.ms >= (before - 1) * 1000);
  CHECK(now.ms <= (after + 1) * 1000);
}

TEST_CASE("SystemClock: the boot clock never goes back and agrees with /proc/uptime") {
  SystemClock clock;
  std::int64_t last = clock.boot_ns();
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t next = clock.boot_ns();
    REQUIRE(next >= last);
    last = next;
  }
  const auto uptime = read_file("/proc/uptime", 100);
  if (!uptime) {
    MESSAGE("skipped: no /proc/uptime");
    return;
  }
  const double seconds_up = std::stod(uptime.value());
  CHECK(static_cast<double>(last) / 1e9 > seconds_up - 10);
  CHECK(static_cast<double>(last) / 1e9 < seconds_up + 10);
}

TEST_CASE("SystemClock: the boot id is one line, the same each time") {
  SystemClock clock;
  const std::string id = clock.boot_id();
  CHECK(id == clock.boot_id());
  if (id.empty()) {
    MESSAGE("skipped: this system has no boot id");
    return;
  }
  CHECK(id.size() == 36);
  CHECK(id.find_first_not_of("0123456789abcdef-") == std::string::npos);
}

TEST_CASE("clock_quality: an error is claimed only for a synchronised clock") {
  const ClockQuality quality = clock_quality();
  if (quality.synchronised) {
    CHECK(quality.max_error_us >= 0);
    CHECK(quality.max_error_us < 16'000'000);  // where the kernel itself calls it unsynchronised
  } else {
    MESSAGE("the kernel says: not synchronised");
  }
}

}  // namespace
}  // namespace meldevakt
