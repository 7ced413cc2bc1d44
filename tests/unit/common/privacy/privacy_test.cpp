#include "common/privacy/privacy.h"

#include <doctest/doctest.h>

#include <array>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/ports/sha256.h"
#include "common/testing/doubles.h"
#include "tests/unit/common/property.h"

namespace meldevakt {
namespace {

constexpr std::string_view kPortalId = "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10";
constexpr std::array<ReferenceType, 4> kKeyedTypes{
    ReferenceType::kTransportId, ReferenceType::kClientId, ReferenceType::kShipmentId,
    ReferenceType::kCaseId};

PrivacyStep with_key() {
  return PrivacyStep{std::string(32, 'k')};
}

// Nine digits with their two control digits, by the rule of the population register; "" when the
// nine have none. `remainder`: 0 is the old rule, 1 to 3 what 2032 adds.
std::string with_control_digits(std::string_view nine, int remainder = 0) {
  constexpr std::array<int, 9> first{3, 7, 6, 1, 8, 9, 4, 5, 2};
  constexpr std::array<int, 10> second{5, 4, 3, 2, 7, 6, 5, 4, 3, 2};
  int sum = 0;
  for (std::size_t i = 0; i < 9; ++i) sum += (nine[i] - '0') * first[i];
  int k1 = 11 + remainder - sum % 11;
  if (k1 > 10) k1 -= 11;
  if (k1 > 9 || k1 < 0) return "";
  std::string out{nine};
  out += std::to_string(k1);
  sum = 0;
  for (std::size_t i = 0; i < 10; ++i) sum += (out[i] - '0') * second[i];
  const int k2 = (11 - sum % 11) % 11;
  if (k2 == 10) return "";
  return out + std::to_string(k2);
}

// The first number of that date that has control digits.
std::string number_of(std::string_view date, int remainder = 0) {
  for (int individual = 100;; ++individual) {
    const std::string nine = std::string{date} + std::to_string(individual);
    if (std::string out = with_control_digits(nine, remainder); !out.empty()) return out;
  }
}

TEST_CASE("classify: every kind of number, by either rule of control digits") {
  struct Case {
    std::string_view name;
    std::string_view date;
    IdentityNumber want;
  };
  const std::vector<Case> cases{
      {"birth number", "010170", IdentityNumber::kBirthNumber},
      {"leap day", "290200", IdentityNumber::kBirthNumber},
      {"last of the year", "311299", IdentityNumber::kBirthNumber},
      {"D-number", "410170", IdentityNumber::kDNumber},
      {"D-number, last day", "710170", IdentityNumber::kDNumber},
      {"H-number", "014170", IdentityNumber::kHNumber},
      {"H-number, December", "015270", IdentityNumber::kHNumber},
      {"D and H", "414170", IdentityNumber::kHNumber},
      {"FH-number", "812345", IdentityNumber::kFhNumber},
      {"FH-number of nine", "999999", IdentityNumber::kFhNumber},
      {"synthetic", "018170", IdentityNumber::kSynthetic},
      {"synthetic, December", "019270", IdentityNumber::kSynthetic},
      {"synthetic D-number", "418170", IdentityNumber::kSynthetic},
      {"no such day", "320170", IdentityNumber::kNone},
      {"day nought", "000170", IdentityNumber::kNone},
      {"30 February", "300270", IdentityNumber::kNone},
      {"month 13", "011370", IdentityNumber::kNone},
      {"month nought", "010070", IdentityNumber::kNone},
      {"month 40", "014070", IdentityNumber::kNone},
      {"month 53", "015370", IdentityNumber::kNone},
      {"month 80", "018070", IdentityNumber::kNone},
      {"month 93", "019370", IdentityNumber::kNone},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    for (int remainder = 0; remainder <= 3; ++remainder) {
      CAPTURE(remainder);
      const std::string number = number_of(c.date, remainder);
      CHECK(classify_identity_number(number) == c.want);
      CHECK(holds_identity_number(number));
      // The last digit is a control digit: with any other it is none of them.
      for (int other = 1; other < 10; ++other) {
        std::string wrong = number;
        wrong[10] = static_cast<char>('0' + (wrong[10] - '0' + other) % 10);
        CHECK(classify_identity_number(wrong) == IdentityNumber::kNone);
        CHECK(holds_identity_number(wrong));  // but it is held back all the same
      }
    }
  }
}

TEST_CASE("classify: the samples that the population register publishes for 2032") {
  for (const std::string_view sample :
       {"02013299997", "02013299903", "30108299920", "30108299939"}) {
    CAPTURE(sample);
    CHECK(classify_identity_number(sample) == IdentityNumber::kBirthNumber);
  }
  CHECK(with_control_digits("020132999") == "02013299997");
}

TEST_CASE("classify: of the first control digit, exactly four remainders are right") {
  testing::SeededRandom random{testing::property_seed()};
  for (int round = 0; round < 2000; ++round) {
    std::string digits = "8";
    for (int i = 0; i < 10; ++i) digits += static_cast<char>('0' + random.below(10));
    bool want = false;
    for (int remainder = 0; remainder <= 3; ++remainder) {
      want = want || with_control_digits(digits.substr(0, 9), remainder) == digits;
    }
    CAPTURE(digits);
    REQUIRE((classify_identity_number(digits) == IdentityNumber::kFhNumber) == want);
  }
}

TEST_CASE("classify: twelve digits are a DUF number, other texts nothing") {
  CHECK(classify_identity_number("200012345678") == IdentityNumber::kDuf);
  for (const std::string_view text :
       {"", "1", "0101701234", "0101701234567", "0101701234x", "010170 1234", "x1017012345"}) {
    CAPTURE(text);
    CHECK(classify_identity_number(text) == IdentityNumber::kNone);
  }
}

TEST_CASE("holds_identity_number: however people and programs write it") {
  struct Case {
    std::string_view text;
    bool want;
  };
  const std::vector<Case> cases{
      {"01017012345", true},
      {"99999999999", true},  // no date, wrong digits: eleven are enough
      {"fnr=01017012345;", true},
      {"a01017012345b", true},
      {"010170 12345", true},
      {"010170-12345", true},
      {"01.01.70.12345", true},
      {"01 01 70 123 45", true},
      {"010170  12345", true},
      {"010170 - 12345", true},
      {"010170\xc2\xa0"
       "12345",
       true},
      {"010170\xe2\x80\x91"
       "12345",
       true},
      {"010170\xe2\x80\x93"
       "12345",
       true},
      {"010170\t12345", true},
      {"0 1 0 1 7 0 1 2 3 4 5", true},
      {"200012345678", true},  // DUF
      {"2000 1234 5678", true},
      {"01017012345 17", true},  // thirteen with what follows
      {"17 01017012345", true},
      {"17 010170 12345 4", true},
      {"mellom 5 og 010170 12345", true},
      {"", false},
      {"1", false},
      {"0101701234", false},
      {"0101701234567", false},  // thirteen in one run: a time in milliseconds
      {"1676452462101", false},
      {"010170/12345", false},  // not a way it is written
      {"010170:12345", false},
      {"010170    12345", false},  // four blanks: two numbers
      {"pg/55P03", false},
      {"mssql/-2", false},
      {"1.0.0", false},
      {"2023-02-01", false},
      {"12345678", false},
      {"123456785", false},  // an organisation number
      {"trace", false},
      {"010170x12345", false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK(holds_identity_number(c.text) == c.want);
  }
}

TEST_CASE("holds_identity_number: every way to cut eleven digits in groups") {
  constexpr std::string_view digits = "01017012345";
  for (const std::string_view separator : {" ", ".", "-", ". ", " - "}) {
    for (unsigned cuts = 0; cuts < 1U << 10; ++cuts) {
      std::string text;
      for (unsigned i = 0; i < 11; ++i) {
        text += digits[i];
        if (i < 10 && (cuts >> i & 1) != 0) text += separator;
      }
      CAPTURE(text);
      REQUIRE(holds_identity_number(text));
      REQUIRE(holds_identity_number("kode " + text + ", x"));
      // One digit less or two more in the same cut hold none, when the whole is one group.
      if (cuts == 0) {
        REQUIRE_FALSE(holds_identity_number(text.substr(1)));
        REQUIRE_FALSE(holds_identity_number("77" + text));
      }
    }
  }
}

TEST_CASE("reference: a portal id passes as it is, in lower case, and only that") {
  for (const PrivacyStep& privacy : {with_key(), PrivacyStep{""}}) {
    const auto reference =
        privacy.reference(ReferenceType::kPortalMessageId, "5B0C8F0E-6F0E-4A44-9A39-1D6F0C1B7A10");
    REQUIRE(reference.has_value());
    CHECK(reference->value == kPortalId);
    CHECK(is_well_formed(*reference));
    for (const std::string_view other :
         {"", "01017012345", "5b0c8f0e-6f0e-1a44-9a39-1d6f0c1b7a10",
          "5b0c8f0e-6f0e-7a44-9a39-1d6f0c1b7a10", "5b0c8f0e-6f0e-4a44-ca39-1d6f0c1b7a10",
          "{5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10}", "5b0c8f0e6f0e4a449a391d6f0c1b7a10",
          "00000000-0000-0000-0000-000000000000", "Kari Nordmann",
          " 5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10"}) {
      CAPTURE(other);
      CHECK_FALSE(privacy.reference(ReferenceType::kPortalMessageId, other).has_value());
    }
  }
}

TEST_CASE("is_portal_uuid: of all versions and variants, version 4 and variant 10") {
  constexpr std::string_view hex = "0123456789abcdefABCDEF";
  for (const char version : hex) {
    for (const char variant : hex) {
      std::string uuid{kPortalId};
      uuid[14] = version;
      uuid[19] = variant;
      CAPTURE(uuid);
      const bool want =
          version == '4' && std::string_view{"89abAB"}.find(variant) != std::string_view::npos;
      CHECK(is_portal_uuid(uuid) == want);
    }
  }
}

TEST_CASE("reference: all others leave as a keyed hash that depends on key, type and text") {
  std::set<std::string> seen;
  for (const ReferenceType type : kKeyedTypes) {
    for (const std::string_view raw :
         {std::string_view{"2023/1234"}, std::string_view{"2023/1235"}, kPortalId}) {
      for (const char key : {'k', 'l'}) {
        const auto reference = PrivacyStep{std::string(32, key)}.reference(type, raw);
        REQUIRE(reference.has_value());
        CHECK(reference->type == type);
        CHECK(is_well_formed(*reference));
        CHECK(seen.insert(reference->value).second);
        CHECK(reference->value.find("1234") == std::string::npos);
      }
    }
  }
  // The very construction, so that a second implementation can be written from this line.
  CHECK(with_key().reference(ReferenceType::kCaseId, "2023/1234")->value ==
        hmac_sha256(std::string(32, 'k'), std::string{"case_id\0"
                                                      "2023/1234",
                                                      17})
            .hex()
            .substr(0, 32));
}

TEST_CASE("reference: one UUID is one reference in any letter case, other texts are exact") {
  const auto value = [](std::string_view raw) {
    return with_key().reference(ReferenceType::kTransportId, raw)->value;
  };
  CHECK(value("5b0c8f0e-6f0e-1a44-9a39-1d6f0c1b7a10") ==
        value("5B0C8F0E-6F0E-1A44-9A39-1D6F0C1B7A10"));
  CHECK(value("sak-a") != value("SAK-A"));
  CHECK(value("sak-a") != value("sak-a "));
}

TEST_CASE("reference: without the key, without a text, or too long: dropped") {
  for (const ReferenceType type : kKeyedTypes) {
    CHECK_FALSE(PrivacyStep{""}.reference(type, "2023/1234").has_value());
    CHECK_FALSE(with_key().reference(type, "").has_value());
    const std::string longest(PrivacyStep::kRawReferenceBytesMax, 'x');
    CHECK(with_key().reference(type, longest).has_value());
    CHECK_FALSE(with_key().reference(type, longest + "x").has_value());
  }
}

}  // namespace
}  // namespace meldevakt
