// The inner loop of scanning: finds where in a text one of a plan's 4-grams may stand.
//
//   FindBlock* find = find_block(best_cpu_path(), tables);
//   const char* block = find(tables, at, stop, mask);   // bit i of mask: a candidate at block + i
//
// Each gram is in one of eight buckets; a table says for each of its four places and each nibble
// which buckets allow it, so that two byte shuffles a place answer for all grams at once. A
// candidate is a place where one bucket allows all four characters; the caller looks whether a gram
// is really there. All paths give the same blocks and masks; which ones a machine has is asked at
// run time, so one binary serves all. On Windows only the portable and the 128-bit path are used:
// GCC may spill wider registers to a stack that is not aligned for them (GCC bug 54412).
//
// Private to agent/recognise. Thread-safety: pure functions.
// REQUIRES: `stop - at` is a multiple of kKernelBlockBytes, and kGramPlaces - 1 times the stride
// bytes beyond `stop` may be read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace meldevakt::agent {

inline constexpr std::size_t kGramPlaces = 4;
inline constexpr std::size_t kGramBuckets = 8;
inline constexpr std::size_t kKernelBlockBytes = 64;

struct GramTables {
  using Nibbles = std::array<std::uint8_t, 16>;  // by nibble: the buckets that allow it
  alignas(16) std::array<Nibbles, kGramPlaces> low{};
  alignas(16) std::array<Nibbles, kGramPlaces> high{};
  std::uint8_t stride = 1;  // bytes from one character to the next: 2 in UTF-16
  bool ascii_only = true;   // no bucket allows a byte above 7F; a shorter loop does
};

enum class CpuPath : std::uint8_t { kPortable, kSse4, kAvx2, kAvx512 };

[[nodiscard]] std::string_view to_string(CpuPath path);
// Those that this machine has, slowest first; never empty.
[[nodiscard]] std::vector<CpuPath> cpu_paths();
[[nodiscard]] CpuPath best_cpu_path();

// The first block at or after `at` with a candidate, or `stop`.
using FindBlock = const char*(const GramTables& tables, const char* at, const char* stop,
                              std::uint64_t& mask);
[[nodiscard]] FindBlock* find_block(CpuPath path, const GramTables& tables);

struct LineCount {
  std::uint64_t newlines = 0;  // bytes 0A, or in UTF-16 units 000A
  bool odd = false;  // a byte 00, or in UTF-16 a unit above 20FF: padding, or another encoding?
};
// `unit`: 1, or 2 in UTF-16LE, where `text` begins with a whole unit. Any length.
[[nodiscard]] LineCount count_lines(CpuPath path, std::string_view text, std::size_t unit);

}  // namespace meldevakt::agent
