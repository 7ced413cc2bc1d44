// How often one address may fail at something: a fixed window a key, in bounded memory.
//
// Only failures count, so many honest agents behind one address are never held up. Full memory
// forgets whole windows that are over; when none is over, strangers are refused: an attacker who
// fills the table locks nobody out who has not failed himself once the window has passed.
//
// Pure: the time is an argument (boot clock). Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "common/base/time.h"

namespace meldevakt::collector {

class FailureLimit {
 public:
  static constexpr std::size_t kKeysMax = 10'000;

  FailureLimit(std::uint32_t failures_max, Duration window)
      : failures_max_{failures_max}, window_ns_{window.ms * 1'000'000} {}

  [[nodiscard]] bool allows(const std::string& key, std::int64_t boot_ns);
  void failed(const std::string& key, std::int64_t boot_ns);

 private:
  struct Window {
    std::int64_t start_ns = 0;
    std::uint32_t failures = 0;
  };
  [[nodiscard]] bool is_over(const Window& window, std::int64_t boot_ns) const {
    return boot_ns - window.start_ns >= window_ns_;
  }

  std::uint32_t failures_max_;
  std::int64_t window_ns_;
  std::map<std::string, Window> windows_;
};

}  // namespace meldevakt::collector
