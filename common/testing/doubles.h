// Test doubles of the ports: a clock moved by hand, random bytes from a seed, fixed-offset zones.
// Thread-safety: none but where a test needs it; ManualClock is safe for concurrent use.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "common/ports/clock.h"
#include "common/ports/random.h"
#include "common/ports/time_zone.h"

namespace meldevakt::testing {

class ManualClock : public Clock {
 public:
  explicit ManualClock(Instant start) : now_ms_{start.ms} {}
  void advance(Duration by) {
    now_ms_ += by.ms;
    boot_ns_ += by.ms * 1'000'000;
  }
  void step_wall(Duration by) {
    now_ms_ += by.ms;
  }  // the wall clock jumps, the boot clock does not
  [[nodiscard]] Instant now() override { return {now_ms_}; }
  [[nodiscard]] std::int64_t boot_ns() override { return boot_ns_; }
  [[nodiscard]] std::string boot_id() override { return "00000000-0000-4000-8000-000000000001"; }

 private:
  std::atomic<std::int64_t> now_ms_;
  std::atomic<std::int64_t> boot_ns_ = 1'000'000'000;
};

// The same bytes for the same seed, on every machine (SplitMix64).
class SeededRandom : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_{seed} {}
  [[nodiscard]] std::uint64_t next();
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  [[nodiscard]] std::string bytes(std::size_t count) override;

 private:
  std::uint64_t state_;
};

// "UTC", "+01:00" and, by the EU's rule, "Europe/Oslo" from 1996 on.
class RuleTimeZones : public TimeZones {
 public:
  [[nodiscard]] Result<std::shared_ptr<const TimeZone>> find(std::string_view name) override;
};

}  // namespace meldevakt::testing
