#include "agent/decode/encoding.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/text.h"

namespace meldevakt::agent {
namespace {

using Encodings = std::vector<Encoding>;
const Encodings kStrict{Encoding::kUtf8};
const Encodings kMixed{Encoding::kUtf8, Encoding::kWindows1252};
const Encodings kDos{Encoding::kUtf8, Encoding::kCp865, Encoding::kWindows1252};

std::string utf16(std::u16string_view text) {
  std::string out;
  for (const char16_t unit : text) {
    out.push_back(static_cast<char>(unit & 0xFFU));
    out.push_back(static_cast<char>(unit >> 8U));
  }
  return out;
}

std::string utf16_be(std::u16string_view text) {
  std::string out = utf16(text);
  for (std::size_t i = 0; i < out.size(); i += 2) std::swap(out[i], out[i + 1]);
  return out;
}

TEST_CASE("encoding: names are those of packs, and come back") {
  CHECK(all_encoding_names() == std::vector<std::string>{"utf-8", "utf-16le", "utf-16be",
                                                         "windows-1252", "iso-8859-1",
                                                         "iso-8859-15", "cp850", "cp865"});
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
  CHECK(detect("\xFE\xFFt", kStrict).encoding == Encoding::kUtf16Be);
  CHECK(detect("\xFE\xFFt", kStrict).bom_bytes == 2);
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
      {"UTF-16, big end first", Encoding::kUtf16Be, kStrict, utf16_be(u"blåbær \U0001F600"),
       "blåbær \U0001F600", 0},
      {"UTF-16, big end first, half pair", Encoding::kUtf16Be, kStrict,
       utf16_be({u"\xD83D\x0041", 2}), "\uFFFDA", 2},
      {"Latin 1", Encoding::kIso8859_1, kStrict,
       "bl\xE5"
       "b\xE6r \xA4",
       "blåbær ¤", 0},
      {"Latin 9", Encoding::kIso8859_15, kStrict,
       "bl\xE5"
       "b\xE6r \xA4",
       "blåbær €", 0},
      {"DOS", Encoding::kCp850, kStrict,
       "bl\x86"
       "b\x91r \x9B\x9D",
       "blåbær øØ", 0},
      {"Norwegian DOS", Encoding::kCp865, kStrict,
       "bl\x86"
       "b\x91r \x9B\x9D",
       "blåbær øØ", 0},
      {"fallback is the first page", Encoding::kUtf8, kDos,
       "bl\x86"
       "b\x91r",
       "blåbær", 0},
      {"a page declared alone", Encoding::kCp850, kDos, "bl\x86", "blå", 0},
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
             {Encoding::kUtf8, Encoding::kWindows1252, Encoding::kUtf16Le, Encoding::kUtf16Be,
              Encoding::kIso8859_1, Encoding::kIso8859_15, Encoding::kCp850, Encoding::kCp865}) {
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

TEST_CASE("encoding: every byte of every page means one thing, and no two the same") {
  for (const Encoding page : {Encoding::kWindows1252, Encoding::kIso8859_1, Encoding::kIso8859_15,
                              Encoding::kCp850, Encoding::kCp865}) {
    CAPTURE(to_string(page));
    std::set<std::string> seen;
    std::uint64_t undecodable = 0;
    for (int byte = 0; byte < 256; ++byte) {
      seen.insert(decode(page, {page}, std::string(1, static_cast<char>(byte)), undecodable));
    }
    CHECK(undecodable == (page == Encoding::kWindows1252 ? 5 : 0));
    CHECK(seen.size() == (page == Encoding::kWindows1252 ? 252 : 256));  // U+FFFD among them
  }
}

TEST_CASE("encoding: a mark at a line's beginning, and when it changes the encoding") {
  struct Case {
    std::string_view name;
    std::string line;
    Encoding current;
    std::size_t bytes;
    Encoding encoding;
  };
  const std::string le = "\xFF\xFE" + utf16(u"2023-02");
  const std::string be = "\xFE\xFF" + utf16_be(u"2023-02");
  const std::vector<Case> cases{
      {"none", "2023-02", Encoding::kUtf8, 0, Encoding::kUtf8},
      {"UTF-8", "\xEF\xBB\xBFx", Encoding::kUtf8, 3, Encoding::kUtf8},
      {"UTF-8 in a page", "\xEF\xBB\xBFx", Encoding::kWindows1252, 3, Encoding::kUtf8},
      {"UTF-16LE in UTF-8", le, Encoding::kUtf8, 2, Encoding::kUtf16Le},
      {"UTF-16BE in UTF-8", be, Encoding::kUtf8, 2, Encoding::kUtf16Be},
      {"its own, of UTF-16LE", "\xFF\xFE\x41\x41", Encoding::kUtf16Le, 2, Encoding::kUtf16Le},
      {"the other end", be, Encoding::kUtf16Le, 2, Encoding::kUtf16Be},
      {"UTF-8 in UTF-16",
       "\xEF\xBB\xBF"
       "2023-02",
       Encoding::kUtf16Le, 3, Encoding::kUtf8},
      {"letters of a page", "\xFF\xFE og mer", Encoding::kWindows1252, 0, Encoding::kWindows1252},
      {"characters of UTF-16", std::string("\xEF\xBB\xBF\x4E\x2D\x4E\x00\x4E", 8),
       Encoding::kUtf16Le, 0, Encoding::kUtf16Le},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const LineMark mark = mark_of_line(c.line, c.current, true);
    CHECK_FALSE(mark.undecided);
    CHECK(mark.bytes == c.bytes);
    CHECK(mark.encoding == c.encoding);
    // Never decided otherwise with fewer bytes; and once no more may come, decided.
    for (std::size_t length = 0; length < c.line.size(); ++length) {
      const LineMark early = mark_of_line(c.line.substr(0, length), c.current, true);
      CHECK((early.undecided || length == 0 || early.bytes == c.bytes));
      CHECK_FALSE(mark_of_line(c.line.substr(0, length), c.current, false).undecided);
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
