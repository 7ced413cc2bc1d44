#include "common/base/text.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace meldevakt {
namespace {

TEST_CASE("nearest_name: a slip of the pen finds its name, another word does not") {
  const std::vector<std::string> keys{"zone", "name", "files", "pack", "flush_lag", "tenant"};
  struct Case {
    std::string_view name;
    std::string_view want;  // "" = none
  };
  const std::vector<Case> cases{{"zome", "zone"},
                                {"zoen", "zone"},
                                {"zon", "zone"},
                                {"zonee", "zone"},
                                {"file", "files"},
                                {"flushlag", "flush_lag"},
                                {"flsh_lga", "flush_lag"},
                                {"tennant", "tenant"},
                                {"name", "name"},
                                {"colour", ""},
                                {"xy", ""},
                                {"", ""},
                                {"nmea", ""},
                                {"p", ""},
                                {"zn", ""}};
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(nearest_name(c.name, keys).value_or("") == c.want);
  }
  CHECK_FALSE(nearest_name("zone", {}).has_value());
  CHECK(nearest_name("z", {"y"}).value_or("") == "y");  // one edit is always allowed
  // The nearest wins, and among equals the first.
  CHECK(nearest_name("aaab", {"aabb", "aaaa", "aaac"}).value_or("") == "aabb");
  CHECK(nearest_name("abcdef", {"abcdxx", "abcdex"}).value_or("") == "abcdex");
}

TEST_CASE("parse_u64: digits only, no overflow") {
  CHECK(parse_u64("0") == 0U);
  CHECK(parse_u64("007") == 7U);
  CHECK(parse_u64("18446744073709551615") == UINT64_MAX);
  for (const std::string_view text : {"", "-1", "+1", " 1", "1 ", "1.0", "0x1",
                                      "18446744073709551616", "99999999999999999999", "١"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_u64(text).has_value());
  }
}

TEST_CASE("is_utf8: table 3-7 of Unicode, at its borders") {
  struct Case {
    std::string_view bytes;
    bool want;
  };
  const std::vector<Case> cases{
      {"", true},
      {"abc", true},
      {"\x7f", true},
      {"\x80", false},
      {"\xc1\xbf", false},  // overlong
      {"\xc2\x80", true},
      {"\xdf\xbf", true},
      {"\xdf", false},  // cut off
      {"\xdf\xc0", false},
      {"\xe0\x9f\xbf", false},  // overlong
      {"\xe0\xa0\x80", true},
      {"\xed\x9f\xbf", true},
      {"\xed\xa0\x80", false},  // surrogate
      {"\xee\x80\x80", true},
      {"\xef\xbf\xbf", true},
      {"\xef\xbf", false},
      {"\xf0\x8f\xbf\xbf", false},
      {"\xf0\x90\x80\x80", true},
      {"\xf4\x8f\xbf\xbf", true},
      {"\xf4\x90\x80\x80", false},  // beyond U+10FFFF
      {"\xf5\x80\x80\x80", false},
      {"\xff", false},
      {"blåbær\xff", false},
      {"blåbær", true},
  };
  for (const Case& c : cases) {
    CAPTURE(quoted(c.bytes));
    CHECK(is_utf8(c.bytes) == c.want);
  }
}

TEST_CASE("quoted: nothing that moves a cursor or breaks a line comes through") {
  CHECK(quoted("blåbær 'x'") == "blåbær 'x'");
  CHECK(quoted("a\nb\x1b[2J\x7f") == "a\\x0ab\\x1b[2J\\x7f");
  CHECK(quoted(std::string_view{"a\0b", 3}) == "a\\x00b");
  CHECK(quoted("\xff\xc2") == "\\xff\\xc2");
  CHECK(quoted("\xc2\x9b") == "\\xc2\\x9b");  // U+009B, a control of eight bits
  CHECK(quoted("abcdef", 6) == "abcdef");
  CHECK(quoted("abcdefg", 6) == "abcdef...");
  CHECK(quoted("abcdeå", 6) == "abcde...");  // no half characters
  for (int c = 0; c < 256; ++c) {
    const std::string out = quoted(std::string(1, static_cast<char>(c)));
    CAPTURE(c);
    CHECK(is_utf8(out));
    CHECK(out.find_first_of("\n\r\t\x1b") == std::string::npos);
  }
}

}  // namespace
}  // namespace meldevakt
