// Small text helpers: nearest name for "did you mean", strict numbers, UTF-8 check, printable
// quoting. Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meldevakt {

// The candidate with the least edit distance to `name`, when it is near enough to be a slip of the
// pen (at most a third of its length, at least one edit allowed); otherwise nullopt.
[[nodiscard]] std::optional<std::string> nearest_name(std::string_view name,
                                                      const std::vector<std::string>& candidates);

// Decimal digits only, no sign, no blanks, no overflow.
[[nodiscard]] std::optional<std::uint64_t> parse_u64(std::string_view digits);

[[nodiscard]] bool is_utf8(std::string_view bytes);  // well-formed per Unicode 15, table 3-7

// A to Z as a to z; every other byte as it is.
[[nodiscard]] constexpr char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// For error messages: control characters and invalid UTF-8 as \xNN, cut to `bytes_max` with "...".
// Adds no quotation marks of its own: "unknown key '" + quoted(key) + "'".
[[nodiscard]] std::string quoted(std::string_view bytes, std::size_t bytes_max = 60);

}  // namespace meldevakt
