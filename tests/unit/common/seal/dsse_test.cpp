#include "common/seal/dsse.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/limits.h"
#include "common/crypto/crypto.h"
#include "common/ports/sha256.h"
#include "common/summary/statement.h"

namespace meldevakt {
namespace {

std::unique_ptr<Signer> signer(char seed) {
  return signer_from_seed(std::string(32, seed)).value();
}

TEST_CASE("DSSE: the example of the specification") {
  CHECK(pre_authentication_encoding("http://example.com/HelloWorld", "hello world") ==
        "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  CHECK(pre_authentication_encoding("", "") == "DSSEv1 0  0 ");
  CHECK(link_hash("http://example.com/HelloWorld", "hello world") ==
        sha256("DSSEv1 29 http://example.com/HelloWorld 11 hello world"));
}

TEST_CASE("DSSE: no two pairs of type and payload are encoded alike") {
  // Where the type ends is told by its length, so moving a byte over the border changes the bytes.
  std::vector<std::string> seen;
  for (const std::string_view type : {"", "a", "a 1", "a 1 b", "1"}) {
    for (const std::string_view payload : {"", "b", "1 b", " b", "a 1 b"}) {
      const std::string pae = pre_authentication_encoding(type, payload);
      for (const std::string& other : seen) CHECK(other != pae);
      seen.push_back(pae);
    }
  }
}

TEST_CASE("DSSE: what was sealed verifies, for its own type and key only") {
  const auto key = signer('a');
  const OpenSslVerifier verifier;
  const std::string payload{"{\"a\":1}\0\xff", 9};
  const std::string json = seal(kStatementType, payload, *key).value();
  const Envelope envelope = parse_envelope(json).value();
  CHECK(envelope.payload == payload);
  CHECK(envelope.payload_type == kStatementType);
  CHECK(envelope.key_id == sha256(key->public_key()).hex().substr(0, 16));
  CHECK(verify_envelope(envelope, kStatementType, key->public_key(), verifier).has_value());

  const auto code_of = [&](std::string_view type, std::string_view public_key) {
    const Status status = verify_envelope(envelope, type, public_key, verifier);
    return status ? std::string_view{"ok"} : to_string(status.error().code());
  };
  CHECK(code_of(kEnrolmentType, key->public_key()) == "rejected");
  CHECK(code_of(kStatementType, signer('b')->public_key()) == "rejected");
  CHECK(code_of(kStatementType, std::string(32, '\0')) == "rejected");  // a point of small order
  CHECK(code_of(kStatementType, "short") == "rejected");
}

TEST_CASE("DSSE: a key without honest signers is refused before its signature is looked at") {
  struct Gullible : Verifier {
    bool verify(std::string_view, std::string_view, std::string_view) const override {
      return true;
    }
    bool is_acceptable_key(std::string_view key) const override { return key == "good"; }
  };
  const Envelope envelope{"type", "payload", "", std::string(64, 's')};
  CHECK(verify_envelope(envelope, "type", "good", Gullible{}).has_value());
  CHECK_FALSE(verify_envelope(envelope, "type", "bad", Gullible{}).has_value());
}

TEST_CASE("DSSE: any byte of an envelope changed: never accepted as something else") {
  const auto key = signer('a');
  const OpenSslVerifier verifier;
  const std::string payload = R"({"sequence":41})";
  const std::string json = seal(kStatementType, payload, *key).value();
  const std::string signature = parse_envelope(json).value().signature;
  std::size_t accepted = 0;
  for (std::size_t at = 0; at < json.size(); ++at) {
    // Every bit turned, and what means something to JSON or Base64.
    std::string values{"\0\xff\"\\/=A-0", 9};
    for (int bit = 0; bit < 8; ++bit) values += static_cast<char>(json[at] ^ (1 << bit));
    for (const char value : values) {
      if (json[at] == value) continue;
      std::string changed = json;
      changed[at] = value;
      const auto envelope = parse_envelope(changed);
      if (!envelope) continue;
      if (!verify_envelope(envelope.value(), kStatementType, key->public_key(), verifier)) {
        continue;
      }
      // Only the hint of the key may differ.
      REQUIRE(envelope.value().payload == payload);
      REQUIRE(envelope.value().payload_type == kStatementType);
      REQUIRE(envelope.value().signature == signature);
      ++accepted;
    }
  }
  CHECK(accepted > 0);
  for (std::size_t length = 0; length < json.size(); ++length) {
    REQUIRE_FALSE(parse_envelope(json.substr(0, length)).has_value());
  }
}

TEST_CASE("DSSE: forms that are no envelope of ours") {
  const std::string sig = to_base64(std::string(64, 's'));
  const std::string one = R"({"keyid":"","sig":")" + sig + R"("})";
  const auto envelope = [](std::string_view payload, std::string_view type,
                           std::string_view signatures, std::string_view rest = "") {
    return R"({"payload":")" + std::string{payload} + R"(","payloadType":")" + std::string{type} +
           R"(","signatures":[)" + std::string{signatures} + "]" + std::string{rest} + "}";
  };
  REQUIRE(parse_envelope(envelope("e30=", "t", one)).has_value());
  CHECK(parse_envelope(envelope("e30=", "t", one)).value().payload == "{}");
  struct Case {
    std::string_view name;
    std::string json;
  };
  const std::vector<Case> cases{
      {"no signature", envelope("e30=", "t", "")},
      {"two signatures", envelope("e30=", "t", one + "," + one)},
      {"a short signature", envelope("e30=", "t", R"({"keyid":"","sig":"AAAA"})")},
      {"no key id", envelope("e30=", "t", R"({"sig":")" + sig + R"("})")},
      {"payload of the other alphabet", envelope("e30-", "t", one)},
      {"payload without padding", envelope("e30", "t", one)},
      {"payload with bits to spare", envelope("e31=", "t", one)},
      {"no type", envelope("e30=", "", one)},
      {"a type with a blank", envelope("e30=", "t t", one)},
      {"a member more", envelope("e30=", "t", one, R"(,"note":1)")},
      {"payload twice", R"({"payload":"e30=",)" + envelope("e30=", "t", one).substr(1)},
      {"bytes after it", envelope("e30=", "t", one) + "{}"},
      {"a NUL and more after it", envelope("e30=", "t", one) + std::string(1, '\0') + "{}"},
      {"a list", "[]"},
      {"deep", std::string(1000, '[')},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK_FALSE(parse_envelope(c.json).has_value());
  }
  CHECK(parse_envelope(std::string(limits::kEnvelopeBytesMax + 1, ' ')).error().code() ==
        Errc::kLimit);
}

TEST_CASE("DSSE: the largest statement fits its envelope") {
  const std::string payload(limits::kStatementBytesMax, 'p');
  const std::string json = seal(kStatementType, payload, *signer('a')).value();
  CHECK(json.size() <= limits::kEnvelopeBytesMax);
  CHECK(parse_envelope(json).value().payload == payload);
}

TEST_CASE("DSSE: a signer that fails is an error, not an envelope") {
  struct Broken : Signer {
    Result<std::string> sign(std::string_view) override { return Error{Errc::kIo, "no key"}; }
    std::string public_key() const override { return std::string(32, 'k'); }
  };
  Broken broken;
  CHECK(seal("t", "p", broken).error().message() == "no key");
}

}  // namespace
}  // namespace meldevakt
