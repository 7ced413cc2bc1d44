// Bytes and their textual forms: hexadecimal and Base64 (RFC 4648).
//
// Bytes travel as std::string (owned) and std::string_view (borrowed): every library we use takes
// them so, and no second byte type has to be converted to.
//
//   std::string text = to_hex(digest.view());        // lower case
//   Result<std::string> raw = from_base64(text);     // strict: padding required, no white space
//
// Thread-safety: pure functions. Errors: kCorrupt, naming the position of the first bad character.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace meldevakt {

[[nodiscard]] std::string to_hex(std::string_view bytes);
[[nodiscard]] Result<std::string> from_hex(std::string_view text);  // lower case only

[[nodiscard]] std::string to_base64(std::string_view bytes);
[[nodiscard]] Result<std::string> from_base64(std::string_view text);

[[nodiscard]] std::string to_base64url(std::string_view bytes);  // without padding
[[nodiscard]] Result<std::string> from_base64url(std::string_view text);

// A SHA-256 value (FIPS 180-4). Computed by common/ports/sha256.h; compared, printed and parsed
// here.
struct Sha256 {
  static constexpr std::size_t kBytes = 32;
  std::array<std::uint8_t, kBytes> value{};

  [[nodiscard]] std::string_view view() const;
  [[nodiscard]] std::string hex() const { return to_hex(view()); }
  [[nodiscard]] static Result<Sha256> from_hex_text(std::string_view text);
  [[nodiscard]] static Result<Sha256> from_bytes(std::string_view bytes);

  auto operator<=>(const Sha256&) const = default;
};

// Big-endian unsigned integers, as our formats write them.
void append_u32(std::string& out, std::uint32_t value);
void append_u64(std::string& out, std::uint64_t value);
[[nodiscard]] std::uint32_t read_u32(std::string_view bytes);  // REQUIRES: bytes.size() >= 4
[[nodiscard]] std::uint64_t read_u64(std::string_view bytes);  // REQUIRES: bytes.size() >= 8

}  // namespace meldevakt
