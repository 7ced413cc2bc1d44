// MELDEVAKT_CHECK: an assertion that stays on in release builds. For our own bugs only, never for
// input.
#pragma once

namespace meldevakt::internal {
[[noreturn]] void check_failed(const char* expression, const char* file, int line) noexcept;
}  // namespace meldevakt::internal

#define MELDEVAKT_CHECK(condition) \
  ((condition) ? void(0) : ::meldevakt::internal::check_failed(#condition, __FILE__, __LINE__))
