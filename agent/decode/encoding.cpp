#include "agent/decode/encoding.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "agent/decode/code_pages.h"

namespace meldevakt::agent {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct Name {
  Encoding encoding;
  std::string_view text;
};
constexpr std::array<Name, 8> kNames{{{Encoding::kUtf8, "utf-8"},
                                      {Encoding::kUtf16Le, "utf-16le"},
                                      {Encoding::kUtf16Be, "utf-16be"},
                                      {Encoding::kWindows1252, "windows-1252"},
                                      {Encoding::kIso8859_1, "iso-8859-1"},
                                      {Encoding::kIso8859_15, "iso-8859-15"},
                                      {Encoding::kCp850, "cp850"},
                                      {Encoding::kCp865, "cp865"}}};

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

void append_code_page(std::string& out, const CodePage& page, std::string_view text,
                      std::uint64_t& undecodable_bytes) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint8_t byte = byte_at(text, i);
    const std::uint32_t code = byte < 0x80 ? byte : page[byte - 0x80U];
    if (code == 0 && byte != 0) {
      out.append(kReplacement);
      ++undecodable_bytes;
    } else {
      append_code_point(out, code);
    }
  }
}

// The first 8-bit page among the encodings declared, for lines that are not UTF-8.
const CodePage* fallback_page(const std::vector<Encoding>& declared) {
  for (const Encoding encoding : declared) {
    if (const CodePage* const page = code_page(encoding)) return page;
  }
  return nullptr;
}

void append_utf16(std::string& out, Encoding encoding, std::string_view text,
                  std::uint64_t& undecodable_bytes) {
  const std::size_t low = encoding == Encoding::kUtf16Le ? 0 : 1;
  const auto unit = [text, low](std::size_t at) {
    return static_cast<std::uint32_t>(byte_at(text, at + low)) |
           (static_cast<std::uint32_t>(byte_at(text, at + 1 - low)) << 8U);
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
  if (first_bytes.substr(0, 2) == "\xFE\xFF") return {Encoding::kUtf16Be, 2};
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

LineMark mark_of_line(std::string_view line, Encoding current, bool more_may_come) {
  const LineMark none{0, current, false};
  if (line.empty() || byte_at(line, 0) < 0xEF) return none;
  const auto ascii = [](char c) { return c >= '\t' && c <= '~'; };
  // What a mark with its proof looks like: its bytes, then '.' for an ASCII character, '0' for NUL.
  struct Shape {
    std::string_view mark;
    std::string_view proof;
    Encoding encoding;
  };
  const bool wide = unit_bytes(current) == 2;
  const std::array<Shape, 3> shapes{{
      {"\xEF\xBB\xBF", wide ? "....." : "", Encoding::kUtf8},
      {"\xFF\xFE", current == Encoding::kUtf16Le ? "" : ".0", Encoding::kUtf16Le},
      {"\xFE\xFF", current == Encoding::kUtf16Be ? "" : "0.", Encoding::kUtf16Be},
  }};
  for (const Shape& shape : shapes) {
    const std::size_t all = shape.mark.size() + shape.proof.size();
    bool fits = true;
    for (std::size_t i = 0; fits && i < std::min(line.size(), all); ++i) {
      if (i < shape.mark.size()) {
        fits = line[i] == shape.mark[i];
      } else {
        fits = shape.proof[i - shape.mark.size()] == '0' ? line[i] == '\0' : ascii(line[i]);
      }
    }
    if (!fits) continue;
    if (line.size() >= all) return {shape.mark.size(), shape.encoding, false};
    return {0, current, more_may_come};
  }
  return none;
}

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

void decode_to(std::string& out, Encoding encoding, const std::vector<Encoding>& declared,
               std::string_view line, std::uint64_t& undecodable_bytes) {
  if (unit_bytes(encoding) == 2) {
    append_utf16(out, encoding, line, undecodable_bytes);
    return;
  }
  if (is_ascii(line)) {
    out.append(line);
    return;
  }
  const CodePage* page = code_page(encoding);
  if (page == nullptr && valid_utf8_bytes(line) < line.size()) page = fallback_page(declared);
  if (page != nullptr) {
    append_code_page(out, *page, line, undecodable_bytes);
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
