// Text encodings of log files, and the step from stored bytes to UTF-8.
//
//   Encoding encoding = detect(first_bytes, {Encoding::kUtf8, Encoding::kWindows1252});
//   std::string text = decode(encoding, line_bytes, undecodable);
//
// Whatever cannot be decoded becomes U+FFFD and is counted: malformed text is data, never an error.
// With UTF-8 first and Windows-1252 second, a line that is not UTF-8 is read as Windows-1252, line
// by line (real .NET logs mix them, LOGS.md 1.3). Thread-safety: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <optional>

namespace meldevakt::agent {

enum class Encoding : std::uint8_t { kUtf8, kUtf16Le, kWindows1252 };

[[nodiscard]] std::string_view to_string(Encoding encoding);
[[nodiscard]] std::optional<Encoding> encoding_from_string(std::string_view name);

struct Detected {
  Encoding encoding = Encoding::kUtf8;
  std::size_t bom_bytes = 0;
};
// A byte order mark decides (EF BB BF, FF FE); else the first of `declared`.
[[nodiscard]] Detected detect(std::string_view first_bytes, const std::vector<Encoding>& declared);

// `line`: whole code units. NUL bytes are kept. `declared` gives the fallback for kUtf8.
[[nodiscard]] std::string decode(Encoding encoding, const std::vector<Encoding>& declared,
                                 std::string_view line, std::uint64_t& undecodable_bytes);

}  // namespace meldevakt::agent
