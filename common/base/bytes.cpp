#include "common/base/bytes.h"

#include <algorithm>

#include "common/base/check.h"

namespace meldevakt {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint8_t kNoDigit = 0xff;
using DigitTable = std::array<std::uint8_t, 256>;

constexpr DigitTable digits_of(std::string_view alphabet) {
  DigitTable table{};
  for (std::uint8_t& value : table) value = kNoDigit;
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}
constexpr DigitTable kHexValues = digits_of(kHexDigits);
constexpr DigitTable kBase64Values = digits_of(kBase64);
constexpr DigitTable kBase64UrlValues = digits_of(kBase64Url);

std::uint32_t octet(char c) {
  return static_cast<unsigned char>(c);
}

Error bad_character(std::string_view what, std::size_t position) {
  return {Errc::kCorrupt,
          std::string{what} + ": unexpected character at position " + std::to_string(position)};
}

std::string encode64(std::string_view bytes, std::string_view alphabet, bool padded) {
  std::string out(bytes.size() / 3 * 4, '\0');
  std::size_t done = 0;
  std::size_t written = 0;
  for (; done + 3 <= bytes.size(); done += 3) {
    const std::uint32_t group =
        octet(bytes[done]) << 16 | octet(bytes[done + 1]) << 8 | octet(bytes[done + 2]);
    for (const int shift : {18, 12, 6, 0}) out[written++] = alphabet[(group >> shift) & 63];
  }
  for (std::size_t i = done; i < bytes.size(); i += 3) {
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = octet(bytes[i]) << 16;
    if (have > 1) group |= octet(bytes[i + 1]) << 8;
    if (have > 2) group |= octet(bytes[i + 2]);
    for (std::size_t k = 0; k <= have; ++k) {
      out.push_back(alphabet[(group >> (18 - 6 * k)) & 63]);
    }
    if (padded) out.append(3 - have, '=');
  }
  return out;
}

// `text` without padding. Bits that carry nothing must be zero: each value has one spelling only.
Result<std::string> decode64(std::string_view text, const DigitTable& values,
                             std::string_view what) {
  if (text.size() % 4 == 1) {
    return Error{Errc::kCorrupt,
                 std::string{what} + ": cut off at position " + std::to_string(text.size())};
  }
  std::string out(text.size() / 4 * 3, '\0');
  // Whole groups at once; a character that is none is left to the loop below, which names it.
  std::size_t done = 0;
  std::size_t written = 0;
  for (; done + 4 <= text.size(); done += 4) {
    std::array<std::uint8_t, 4> digit{};
    for (std::size_t k = 0; k < 4; ++k) {
      digit[k] = values[static_cast<unsigned char>(text[done + k])];
    }
    if (((digit[0] | digit[1] | digit[2] | digit[3]) & 0xc0) != 0) break;
    const std::uint32_t whole = (std::uint32_t{digit[0]} << 18) | (std::uint32_t{digit[1]} << 12) |
                                (std::uint32_t{digit[2]} << 6) | digit[3];
    for (const int shift : {16, 8, 0}) out[written++] = static_cast<char>((whole >> shift) & 0xff);
  }
  out.resize(written);
  std::uint32_t group = 0;
  std::uint32_t bits = 0;
  for (std::size_t i = done; i < text.size(); ++i) {
    const std::uint8_t value = values[static_cast<unsigned char>(text[i])];
    if (value == kNoDigit) return bad_character(what, i);
    group = (group << 6) | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(static_cast<char>((group >> bits) & 0xff));
      group &= (1U << bits) - 1;
    }
  }
  if (group != 0) return bad_character(what, text.size() - 1);
  return out;
}

}  // namespace

std::string to_hex(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    out.push_back(kHexDigits[octet(c) >> 4]);
    out.push_back(kHexDigits[octet(c) & 15]);
  }
  return out;
}

Result<std::string> from_hex(std::string_view text) {
  std::string out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint8_t value = kHexValues[static_cast<unsigned char>(text[i])];
    if (value == kNoDigit) return bad_character("hexadecimal", i);
    if (i % 2 == 0) {
      out.push_back(static_cast<char>(value << 4));
    } else {
      out.back() = static_cast<char>(octet(out.back()) | value);
    }
  }
  if (text.size() % 2 != 0) {
    return Error{Errc::kCorrupt, "hexadecimal: cut off at position " + std::to_string(text.size())};
  }
  return out;
}

std::string to_base64(std::string_view bytes) {
  return encode64(bytes, kBase64, true);
}

Result<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) {
    return Error{Errc::kCorrupt, "Base64: cut off at position " + std::to_string(text.size())};
  }
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') {
    ++padding;
  }
  return decode64(text.substr(0, text.size() - padding), kBase64Values, "Base64");
}

std::string to_base64url(std::string_view bytes) {
  return encode64(bytes, kBase64Url, false);
}

Result<std::string> from_base64url(std::string_view text) {
  return decode64(text, kBase64UrlValues, "Base64url");
}

std::string_view Sha256::view() const {
  return {reinterpret_cast<const char*>(value.data()), value.size()};
}

Result<Sha256> Sha256::from_hex_text(std::string_view text) {
  MELDEVAKT_TRY_ASSIGN(const std::string bytes, from_hex(text));
  return from_bytes(bytes);
}

Result<Sha256> Sha256::from_bytes(std::string_view bytes) {
  if (bytes.size() != kBytes) {
    return Error{Errc::kCorrupt,
                 "SHA-256: " + std::to_string(bytes.size()) + " bytes where 32 are needed"};
  }
  Sha256 hash;
  std::transform(bytes.begin(), bytes.end(), hash.value.begin(),
                 [](char c) { return static_cast<std::uint8_t>(c); });
  return hash;
}

void append_u32(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

void append_u64(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

std::uint32_t read_u32(std::string_view bytes) {
  MELDEVAKT_CHECK(bytes.size() >= 4);
  std::uint32_t value = 0;
  for (const char c : bytes.substr(0, 4)) value = (value << 8) | octet(c);
  return value;
}

std::uint64_t read_u64(std::string_view bytes) {
  MELDEVAKT_CHECK(bytes.size() >= 8);
  std::uint64_t value = 0;
  for (const char c : bytes.substr(0, 8)) value = (value << 8) | octet(c);
  return value;
}

}  // namespace meldevakt
