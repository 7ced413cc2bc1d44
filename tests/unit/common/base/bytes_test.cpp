#include "common/base/bytes.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/testing/doubles.h"
#include "tests/unit/common/property.h"

namespace meldevakt {
namespace {

TEST_CASE("bytes: the vectors of RFC 4648, section 10") {
  struct Case {
    std::string_view plain;
    std::string_view base64;
    std::string_view hex;
  };
  const std::vector<Case> cases{{"", "", ""},
                                {"f", "Zg==", "66"},
                                {"fo", "Zm8=", "666f"},
                                {"foo", "Zm9v", "666f6f"},
                                {"foob", "Zm9vYg==", "666f6f62"},
                                {"fooba", "Zm9vYmE=", "666f6f6261"},
                                {"foobar", "Zm9vYmFy", "666f6f626172"}};
  for (const Case& c : cases) {
    CAPTURE(c.plain);
    CHECK(to_base64(c.plain) == c.base64);
    CHECK(to_hex(c.plain) == c.hex);
    REQUIRE(from_base64(c.base64).has_value());
    CHECK(from_base64(c.base64).value() == c.plain);
    REQUIRE(from_hex(c.hex).has_value());
    CHECK(from_hex(c.hex).value() == c.plain);
  }
  CHECK(to_base64url("\xfb\xff") == "-_8");
  CHECK(to_base64("\xfb\xff") == "+/8=");
}

TEST_CASE("bytes: there is one spelling of each value, and the error names the position") {
  struct Case {
    std::string_view name;
    std::string_view text;
    std::string_view position;
  };
  const std::vector<Case> base64{{"no padding", "Zg", "2"},
                                 {"half the padding", "Zg=", "3"},
                                 {"too much padding", "Z===", "1"},
                                 {"only padding", "====", "0"},
                                 {"padding in the middle", "Zg==Zg==", "2"},
                                 {"bits that carry nothing", "Zh==", "1"},
                                 {"the same, one byte more", "Zm9=", "2"},
                                 {"blank", "Zm 9", "2"},
                                 {"line end", "Zm9v\n", "5"},
                                 {"the other alphabet", "-_8=", "0"},
                                 {"NUL", std::string_view{"Zm\0v", 4}, "2"},
                                 {"not ASCII", "Zm\xc3\xa6", "2"}};
  for (const Case& c : base64) {
    CAPTURE(c.name);
    const auto result = from_base64(c.text);
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code() == Errc::kCorrupt);
    CHECK(result.error().message().find("position " + std::string{c.position}) !=
          std::string::npos);
  }
  for (const std::string_view text : {"Zg==", "Zh", "A", "+/8", "Zm 9"}) {
    CAPTURE(text);
    CHECK_FALSE(from_base64url(text).has_value());
  }
  for (const std::string_view text : {"0", "0g", "AB", " 0", "0x"}) {
    CAPTURE(text);
    CHECK_FALSE(from_hex(text).has_value());
  }
}

TEST_CASE("bytes: every text of up to three characters decodes to what encodes to it, or not") {
  constexpr std::string_view alphabet = "A/-_9g=+ ";
  for (std::size_t code = 0; code < 9 * 9 * 9 * 9; ++code) {
    std::string text;
    for (std::size_t rest = code; rest > 0; rest /= 9) text.push_back(alphabet[rest % 9]);
    CAPTURE(text);
    if (const auto bytes = from_base64(text)) REQUIRE(to_base64(bytes.value()) == text);
    if (const auto bytes = from_base64url(text)) REQUIRE(to_base64url(bytes.value()) == text);
    if (const auto bytes = from_hex(text)) REQUIRE(to_hex(bytes.value()) == text);
  }
}

TEST_CASE("bytes: what is encoded decodes to itself") {
  testing::SeededRandom random{testing::property_seed()};
  for (int round = 0; round < 500; ++round) {
    const std::string bytes = random.bytes(random.below(100));
    CAPTURE(to_hex(bytes));
    REQUIRE(from_hex(to_hex(bytes)).value() == bytes);
    REQUIRE(from_base64(to_base64(bytes)).value() == bytes);
    REQUIRE(from_base64url(to_base64url(bytes)).value() == bytes);
  }
}

TEST_CASE("Sha256: from text, to text, and only with 32 bytes") {
  const std::string hex(64, 'a');
  REQUIRE(Sha256::from_hex_text(hex).has_value());
  CHECK(Sha256::from_hex_text(hex).value().hex() == hex);
  CHECK_FALSE(Sha256::from_hex_text(hex.substr(2)).has_value());
  CHECK_FALSE(Sha256::from_hex_text(hex + "aa").has_value());
  CHECK_FALSE(Sha256::from_hex_text(std::string(64, 'A')).has_value());
  CHECK_FALSE(Sha256::from_bytes(std::string(31, 'x')).has_value());
  CHECK(Sha256{}.hex() == std::string(64, '0'));
}

TEST_CASE("bytes: integers are big-endian") {
  std::string out;
  append_u32(out, 0x01020304);
  append_u64(out, 0xfffefdfcfbfaf9f8);
  CHECK(to_hex(out) == "01020304fffefdfcfbfaf9f8");
  CHECK(read_u32(out) == 0x01020304);
  CHECK(read_u64(std::string_view{out}.substr(4)) == 0xfffefdfcfbfaf9f8);
}

}  // namespace
}  // namespace meldevakt
