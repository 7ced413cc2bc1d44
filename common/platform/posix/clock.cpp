#include "common/platform/clock.h"

#include <sys/timex.h>

#include <cstdint>
#include <ctime>
#include <string>

#include "common/base/check.h"
#include "common/platform/disk.h"

namespace meldevakt {
namespace {

timespec read_clock(clockid_t clock) {
  timespec at{};
  MELDEVAKT_CHECK(::clock_gettime(clock, &at) == 0);  // fails only for a clock that is not there
  return at;
}

}  // namespace

Instant SystemClock::now() {
  const timespec at = read_clock(CLOCK_REALTIME);
  return {std::int64_t{at.tv_sec} * 1000 + at.tv_nsec / 1'000'000};
}

std::int64_t SystemClock::boot_ns() {
  const timespec at = read_clock(CLOCK_BOOTTIME);
  return std::int64_t{at.tv_sec} * 1'000'000'000 + at.tv_nsec;
}

std::int64_t awake_ns() {
  const timespec at = read_clock(CLOCK_MONOTONIC);
  return std::int64_t{at.tv_sec} * 1'000'000'000 + at.tv_nsec;
}

std::string SystemClock::boot_id() {
  // Read each time: a container can be moved to another machine while it is frozen.
  Result<std::string> text = read_file("/proc/sys/kernel/random/boot_id", 64);
  if (!text) return {};
  std::string id = std::move(text).value();
  while (!id.empty() && (id.back() == '\n' || id.back() == ' ')) id.pop_back();
  return id;
}

ClockQuality clock_quality() {
  timex state{};
  state.modes = 0;  // read only
  const int result = ::adjtimex(&state);
  if (result == -1) return {};  // refused (seccomp): then we know nothing
  const bool synchronised = result != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
  const bool in_ns = (state.status & STA_NANO) != 0;
  return {.synchronised = synchronised,
          .offset_us = in_ns ? state.offset / 1000 : state.offset,
          .max_error_us = state.maxerror};
}

}  // namespace meldevakt
