#include "agent/decode/encoding.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/text.h"

namespace meldevakt::agent {
namespace {

using Encodings = std::vector<Encoding>;
const Encodings kStrict{Encoding::kUtf8};
const Encodings kMixed{Encoding::kUtf8, Encoding::kWindows1252};

std::string utf16(std::u16string_view text) {
  std::string out;
  for (const char16_t unit : text) {
    out.push_back(static_cast<char>(unit & 0xFFU));
    out.push_back(static_cast<char>(unit >> 8U));
  }
  return out;
}

TEST_CASE("encoding: names are those of packs, and come back") {
  CHECK(all_encoding_names() == std::vector<std::string>{"utf-8", "utf-16le", "windows-1252"});
  for (const std::string& name : all_encoding_names()) {
    REQUIRE(encoding_from_string(name).has_value());
    CHECK(to_string(*encoding_from_string(name)) == name);
  }
  CHECK_FALSE(encoding_from_string("UTF-8").has_value());
}

TEST_CASE("encoding: a byte order mark decides, then the first declared") {
  CHECK(detect("\xEF\xBB\xBFtekst", {Encoding::kWindows1252}).encoding == Encoding::kUtf8);
  CHECK(detect("\xEF\xBB\xBFtekst", {}).bom_bytes == 3);
  CHECK(detect("\xFF\xFEt", kStrict).encoding == Encoding::kUtf16Le);
  CHECK(detect("\xFF\xFEt", kStrict).bom_bytes == 2);
  CHECK(detect("\xEF\xBBx", {Encoding::kWindows1252}).encoding == Encoding::kWindows1252);
  CHECK(detect("\xEF\xBBx", {Encoding::kWindows1252}).bom_bytes == 0);
  CHECK(detect("", {Encoding::kUtf16Le}).encoding == Encoding::kUtf16Le);
  CHECK(detect("", {}).encoding == Encoding::kUtf8);
}

TEST_CASE("encoding: what cannot be decoded becomes U+FFFD and is counted") {
  struct Case {
    std::string_view name;
    Encoding encoding;
    const Encodings& declared;
    std::string bytes;
    std::string_view want;
    std::uint64_t undecodable;
  };
  const std::vector<Case> cases{
      {"plain", Encoding::kUtf8, kStrict, "melding", "melding", 0},
      {"norwegian", Encoding::kUtf8, kStrict, "forsøk på å lagre", "forsøk på å lagre", 0},
      {"nul is kept", Encoding::kUtf8, kStrict, std::string("a\0b", 3), {"a\0b", 3}, 0},
      {"stray byte", Encoding::kUtf8, kStrict, "a\xF8z", "a\uFFFDz", 1},
      {"cut character", Encoding::kUtf8, kStrict, "a\xE2\x82", "a\uFFFD", 2},
      {"overlong", Encoding::kUtf8, kStrict, "\xC0\xAF", "\uFFFD\uFFFD", 2},
      {"surrogate", Encoding::kUtf8, kStrict, "\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD", 3},
      {"beyond Unicode", Encoding::kUtf8, kStrict, "\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD",
       4},
      {"fallback", Encoding::kUtf8, kMixed, "fors\xF8k \x80", "forsøk €", 0},
      {"fallback only for what is not UTF-8", Encoding::kUtf8, kMixed, "forsøk", "forsøk", 0},
      {"hole in the code page", Encoding::kWindows1252, kMixed, "a\x81z", "a\uFFFDz", 1},
      {"code page, nul", Encoding::kWindows1252, kMixed, std::string("\0\xE5", 2), {"\0å", 3}, 0},
      {"UTF-16", Encoding::kUtf16Le, kStrict, utf16(u"blåbær"), "blåbær", 0},
      {"UTF-16, nul", Encoding::kUtf16Le, kStrict, utf16({u"a\0b", 3}), {"a\0b", 3}, 0},
      {"UTF-16 pair", Encoding::kUtf16Le, kStrict, utf16(u"\U0001F600"), "\U0001F600", 0},
      {"UTF-16 half pair", Encoding::kUtf16Le, kStrict, utf16({u"\xD83D\x0041", 2}), "\uFFFDA", 2},
      {"UTF-16 low alone", Encoding::kUtf16Le, kStrict, utf16({u"\xDE00", 1}), "\uFFFD", 2},
      {"UTF-16 half unit", Encoding::kUtf16Le, kStrict, utf16(u"a") + "b", "a\uFFFD", 1},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    std::uint64_t undecodable = 0;
    CHECK(decode(c.encoding, c.declared, c.bytes, undecodable) == c.want);
    CHECK(undecodable == c.undecodable);
  }
}

TEST_CASE(
    "encoding: whatever comes in, well-formed UTF-8 goes out, and well-formed stays as it is") {
  // Exhausted: every text of three bytes from those where UTF-8's rules change.
  const std::string edges{
      "\0A\x7F\x80\x8F\x90\x9F\xA0\xBF\xC1\xC2\xDF\xE0\xE1\xED\xEF\xF0\xF4\xF5\xFF", 20};
  for (const char a : edges) {
    for (const char b : edges) {
      for (const char c : edges) {
        const std::string bytes{a, b, c};
        CAPTURE(quoted(bytes));
        for (const Encoding encoding :
             {Encoding::kUtf8, Encoding::kWindows1252, Encoding::kUtf16Le}) {
          std::uint64_t undecodable = 0;
          const std::string out = decode(encoding, kStrict, bytes, undecodable);
          REQUIRE(is_utf8(out));
          REQUIRE(undecodable <= bytes.size());
          if (encoding == Encoding::kUtf8) {
            REQUIRE((undecodable == 0) == is_utf8(bytes));
            REQUIRE((out == bytes) == is_utf8(bytes));
          }
        }
      }
    }
  }
}

TEST_CASE("encoding: is_ascii looks at every byte") {
  for (std::size_t length = 0; length < 40; ++length) {
    std::string text(length, 'x');
    CHECK(is_ascii(text));
    for (std::size_t at = 0; at < length; ++at) {
      text[at] = '\x80';
      CHECK_FALSE(is_ascii(text));
      text[at] = 'x';
    }
  }
}

}  // namespace
}  // namespace meldevakt::agent
