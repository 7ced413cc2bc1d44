// Text encodings of log files, and the step from stored bytes to UTF-8.
//
//   Detected found = detect(first_bytes, {Encoding::kUtf8, Encoding::kWindows1252});
//   std::string text = decode(found.encoding, declared, line_bytes, undecodable_bytes);
//
// Whatever cannot be decoded becomes U+FFFD and is counted: malformed text is data, never an error.
// The result is always well-formed UTF-8. With UTF-8 first and an 8-bit page after it, a line that
// is not UTF-8 is read in that page, line by line (real .NET logs mix them, LOGS.md 1.3).
// Thread-safety: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meldevakt::agent {

enum class Encoding : std::uint8_t {
  kUtf8,
  kUtf16Le,
  kWindows1252,
  kUtf16Be,
  kIso8859_1,
  kIso8859_15,
  kCp850,  // DOS in Western Europe
  kCp865,  // DOS in Norway and Denmark
};

[[nodiscard]] std::string_view to_string(Encoding encoding);
[[nodiscard]] std::optional<Encoding> encoding_from_string(std::string_view name);
[[nodiscard]] std::vector<std::string> all_encoding_names();

// Bytes of a code unit: 2 for UTF-16, else 1.
[[nodiscard]] constexpr std::size_t unit_bytes(Encoding encoding) {
  return encoding == Encoding::kUtf16Le || encoding == Encoding::kUtf16Be ? 2 : 1;
}

struct Detected {
  Encoding encoding = Encoding::kUtf8;
  std::size_t bom_bytes = 0;
};
// A byte order mark decides (EF BB BF, FF FE, FE FF); else the first of `declared`, or UTF-8.
[[nodiscard]] Detected detect(std::string_view first_bytes, const std::vector<Encoding>& declared);
// How many first bytes detect() looks at, at most.
inline constexpr std::size_t kBomBytesMax = 3;

// The byte order mark at the beginning of a line in the middle of a file: a rotated file that was
// appended to another. The encoding changes with it only when what follows the mark is ASCII in
// the new one, because every two bytes are a character in UTF-16.
struct LineMark {
  std::size_t bytes = 0;                // of the mark, 0 when there is none
  Encoding encoding = Encoding::kUtf8;  // from here on
  bool undecided = false;               // the bytes at hand are too few to say
};
[[nodiscard]] LineMark mark_of_line(std::string_view line, Encoding current, bool more_may_come);
inline constexpr std::size_t kLineMarkBytesMax = 8;  // how many bytes it looks at

// `line`: whole code units. NUL bytes are kept. `declared` gives the fallback for kUtf8.
[[nodiscard]] std::string decode(Encoding encoding, const std::vector<Encoding>& declared,
                                 std::string_view line, std::uint64_t& undecodable_bytes);
// The same, added to the end of `out`.
void decode_to(std::string& out, Encoding encoding, const std::vector<Encoding>& declared,
               std::string_view line, std::uint64_t& undecodable_bytes);

// Seven-bit bytes only: such text reads the same in UTF-8 and every 8-bit page.
[[nodiscard]] bool is_ascii(std::string_view bytes);
// Length of the longest prefix that is well-formed UTF-8 (Unicode 15, table 3-7).
[[nodiscard]] std::size_t valid_utf8_bytes(std::string_view bytes);
// Adds a code point as UTF-8. REQUIRES: a scalar value (no surrogate, at most U+10FFFF).
void append_code_point(std::string& out, std::uint32_t code);

}  // namespace meldevakt::agent
