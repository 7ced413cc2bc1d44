#include "agent/decode/encoding.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace meldevakt::agent {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct Name {
  Encoding encoding;
  std::string_view text;
};
constexpr std::array<Name, 3> kNames{{{Encoding::kUtf8, "utf-8"},
                                      {Encoding::kUtf16Le, "utf-16le"},
                                      {Encoding::kWindows1252, "windows-1252"}}};

// Code points of the bytes 80 to 9F in Windows-1252; 0 where the code page has none.
constexpr std::array<std::uint16_t, 32> kWindows1252High{
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

void append_code_point(std::string& out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

constexpr std::size_t kWordBytes = 8;
constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;

std::uint64_t word_at(std::string_view text, std::size_t at) {
  std::uint64_t word = 0;
  std::memcpy(&word, text.data() + at, kWordBytes);
  return word;
}

struct Sequence {
  std::size_t bytes = 1;  // of the character, or of what cannot be one
  bool valid = false;
};

// Unicode 15, table 3-7; an invalid sequence is its maximal subpart, so one U+FFFD replaces it.
Sequence utf8_sequence(std::string_view text) {
  const std::uint8_t lead = byte_at(text, 0);
  if (lead < 0x80) return {1, true};
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  for (std::size_t i = 1; i < length; ++i) {
    if (i >= text.size()) return {i, false};
    std::uint8_t low = 0x80;
    std::uint8_t high = 0xBF;
    if (i == 1) {
      if (lead == 0xE0) low = 0xA0;
      if (lead == 0xED) high = 0x9F;
      if (lead == 0xF0) low = 0x90;
      if (lead == 0xF4) high = 0x8F;
    }
    if (byte_at(text, i) < low || byte_at(text, i) > high) return {i, false};
  }
  return {length, true};
}

void append_utf8(std::string& out, std::string_view text, std::uint64_t& undecodable_bytes) {
  while (!text.empty()) {
    const std::size_t valid = valid_utf8_bytes(text);
    out.append(text.substr(0, valid));
    text.remove_prefix(valid);
    if (text.empty()) break;
    const std::size_t invalid = utf8_sequence(text).bytes;
    out.append(kReplacement);
    undecodable_bytes += invalid;
    text.remove_prefix(invalid);
  }
}

void append_windows_1252(std::string& out, std::string_view text,
                         std::uint64_t& undecodable_bytes) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint8_t byte = byte_at(text, i);
    const std::uint32_t code = byte >= 0x80 && byte < 0xA0 ? kWindows1252High[byte - 0x80U] : byte;
    if (code == 0 && byte != 0) {
      out.append(kReplacement);
      ++undecodable_bytes;
    } else {
      append_code_point(out, code);
    }
  }
}

void append_utf16le(std::string& out, std::string_view text, std::uint64_t& undecodable_bytes) {
  const auto unit = [text](std::size_t at) {
    return static_cast<std::uint32_t>(byte_at(text, at)) |
           (static_cast<std::uint32_t>(byte_at(text, at + 1)) << 8U);
  };
  std::size_t at = 0;
  while (at + 1 < text.size()) {
    const std::uint32_t first = unit(at);
    at += 2;
    if (first < 0xD800 || first > 0xDFFF) {
      append_code_point(out, first);
      continue;
    }
    const bool has_second = first < 0xDC00 && at + 1 < text.size();
    const std::uint32_t second = has_second ? unit(at) : 0;
    if (second >= 0xDC00 && second <= 0xDFFF) {
      at += 2;
      append_code_point(out, 0x10000 + ((first - 0xD800) << 10U) + (second - 0xDC00));
    } else {
      out.append(kReplacement);
      undecodable_bytes += 2;
    }
  }
  if (at < text.size()) {
    out.append(kReplacement);
    ++undecodable_bytes;
  }
}

}  // namespace

std::string_view to_string(Encoding encoding) {
  for (const Name& name : kNames) {
    if (name.encoding == encoding) return name.text;
  }
  return "";
}

std::optional<Encoding> encoding_from_string(std::string_view name) {
  for (const Name& known : kNames) {
    if (known.text == name) return known.encoding;
  }
  return std::nullopt;
}

std::vector<std::string> all_encoding_names() {
  std::vector<std::string> names;
  for (const Name& known : kNames) names.emplace_back(known.text);
  return names;
}

Detected detect(std::string_view first_bytes, const std::vector<Encoding>& declared) {
  if (first_bytes.substr(0, 3) == "\xEF\xBB\xBF") return {Encoding::kUtf8, 3};
  if (first_bytes.substr(0, 2) == "\xFF\xFE") return {Encoding::kUtf16Le, 2};
  return {declared.empty() ? Encoding::kUtf8 : declared.front(), 0};
}

bool is_ascii(std::string_view bytes) {
  std::size_t at = 0;
  std::uint64_t seen = 0;
  for (; at + kWordBytes <= bytes.size(); at += kWordBytes) seen |= word_at(bytes, at);
  for (; at < bytes.size(); ++at) seen |= byte_at(bytes, at);
  return (seen & kHighBits) == 0;
}

std::size_t valid_utf8_bytes(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (at + kWordBytes <= bytes.size() && (word_at(bytes, at) & kHighBits) == 0) {
      at += kWordBytes;
      continue;
    }
    const Sequence sequence = utf8_sequence(bytes.substr(at));
    if (!sequence.valid) break;
    at += sequence.bytes;
  }
  return at;
}

void decode_to(std::string& out, Encoding encoding, const std::vector<Encoding>& declared,
               std::string_view line, std::uint64_t& undecodable_bytes) {
  if (encoding == Encoding::kUtf16Le) {
    append_utf16le(out, line, undecodable_bytes);
  } else if (is_ascii(line)) {
    out.append(line);
  } else if (encoding == Encoding::kWindows1252) {
    append_windows_1252(out, line, undecodable_bytes);
  } else if (std::find(declared.begin(), declared.end(), Encoding::kWindows1252) !=
                 declared.end() &&
             valid_utf8_bytes(line) < line.size()) {
    append_windows_1252(out, line, undecodable_bytes);
  } else {
    append_utf8(out, line, undecodable_bytes);
  }
}

std::string decode(Encoding encoding, const std::vector<Encoding>& declared, std::string_view line,
                   std::uint64_t& undecodable_bytes) {
  std::string out;
  decode_to(out, encoding, declared, line, undecodable_bytes);
  return out;
}

}  // namespace meldevakt::agent
