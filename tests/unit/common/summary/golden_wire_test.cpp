// The wire as it is, byte for byte: a change of these files is a change of the format that every
// agent in the field speaks. MELDEVAKT_APPROVE=1 (scripts/approve-golden) writes them anew.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "common/crypto/crypto.h"
#include "common/seal/dsse.h"
#include "tests/unit/common/summary/example_values.h"

namespace meldevakt {
namespace {

void check_golden(const std::string& name, std::string_view bytes) {
  const std::string path = std::string{MELDEVAKT_TESTS_DIR} + "/golden/wire/" + name;
  // With a line end, so that people and git read them gladly; the wire has none.
  const std::string want = std::string{bytes} + "\n";
  if (const char* const approve = std::getenv("MELDEVAKT_APPROVE");
      approve != nullptr && std::string_view{approve} == "1") {
    std::ofstream{path, std::ios::binary} << want;
    MESSAGE("approved " << path);
  }
  std::ifstream file{path, std::ios::binary};
  const std::string have{std::istreambuf_iterator<char>{file}, {}};
  CAPTURE(path);
  CHECK(have == want);
}

TEST_CASE("golden: statement") {
  const std::string json = encode_statement(testing::example_statement());
  check_golden("statement.json", json);
  REQUIRE(decode_statement(json).has_value());
  CHECK(decode_statement(json).value() == testing::example_statement());
}

TEST_CASE("golden: enrolment") {
  const std::string json = encode_enrolment(testing::example_enrolment());
  check_golden("enrolment.json", json);
  REQUIRE(decode_enrolment(json).has_value());
  CHECK(decode_enrolment(json).value() == testing::example_enrolment());
}

TEST_CASE("golden: body") {
  const std::string json = encode_body(testing::example_body());
  check_golden("body.json", json);
  REQUIRE(decode_body(json).has_value());
  CHECK(decode_body(json).value() == testing::example_body());
}

TEST_CASE("golden: envelope") {
  // Ed25519 is deterministic: the same key and payload give the same signature everywhere.
  const auto signer = signer_from_seed(std::string(32, 'z')).value();
  const std::string json =
      seal(kEnrolmentType, encode_enrolment(testing::example_enrolment()), *signer).value();
  check_golden("envelope.json", json);
  const auto envelope = parse_envelope(json);
  REQUIRE(envelope.has_value());
  CHECK(verify_envelope(envelope.value(), kEnrolmentType, signer->public_key(), OpenSslVerifier{})
            .has_value());
}

}  // namespace
}  // namespace meldevakt
