#include "common/ports/sha256.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/crypto/crypto.h"
#include "tests/unit/common/crypto/vectors.h"

namespace meldevakt {
namespace {

TEST_CASE("sha256: the values of FIPS 180-4") {
  struct Case {
    std::string bytes;
    std::string_view want;
  };
  const std::vector<Case> cases{
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {std::string(1'000'000, 'a'),
       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.bytes.size());
    CHECK(sha256(c.bytes).hex() == c.want);
  }
  CHECK(sha256(std::string_view{}) == sha256(""));
}

TEST_CASE("Sha256Stream: how the bytes are cut never changes the hash, and it starts anew") {
  const std::string text =
      "seksti tre meldinger i tjueto kommuner, og litt til så det blir to blokker";
  Sha256Stream stream;
  for (std::size_t first = 0; first <= text.size(); ++first) {
    for (std::size_t second = first; second <= text.size(); second += 7) {
      stream.update(std::string_view{text}.substr(0, first));
      stream.update(std::string_view{text}.substr(first, second - first));
      stream.update(std::string_view{text}.substr(second));
      REQUIRE(stream.finish() == sha256(text));
    }
  }
  CHECK(stream.finish() == sha256(""));

  Sha256Stream source;
  source.update("ab");
  Sha256Stream target = std::move(source);
  target.update("c");
  CHECK(target.finish() == sha256("abc"));
}

TEST_CASE("hmac_sha256: the values of RFC 4231, and an empty key is a key") {
  CHECK(hmac_sha256(std::string(20, '\x0b'), "Hi There").hex() ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(hmac_sha256("Jefe", "what do ya want for nothing?").hex() ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  // Longer than a block: hashed first.
  CHECK(hmac_sha256(std::string(131, '\xaa'),
                    "Test Using Larger Than Block-Size Key - Hash Key First")
            .hex() == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  CHECK(hmac_sha256("", "").hex() ==
        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  CHECK(hmac_sha256({}, {}) == hmac_sha256("", ""));
}

TEST_CASE("hmac_sha256: Wycheproof") {
  const auto file = testing::vectors("wycheproof/testvectors_v1/hmac_sha256_test.json");
  if (!file) return;
  std::size_t run = 0;
  for (const auto& group : (*file)["testGroups"]) {
    const std::size_t tag_digits = group["tagSize"].get<std::size_t>() / 4;
    for (const auto& test : group["tests"]) {
      CAPTURE(test["tcId"].get<int>());
      const std::string mac =
          hmac_sha256(testing::raw(test["key"]), testing::raw(test["msg"])).hex();
      const bool equal = mac.substr(0, tag_digits) == test["tag"].get<std::string>();
      CHECK(equal == (test["result"] == "valid"));
      ++run;
    }
  }
  CHECK(run == (*file)["numberOfTests"].get<std::size_t>());
}

TEST_CASE("OpenSslRandom: as many bytes as asked, never the same") {
  OpenSslRandom random;
  CHECK(random.bytes(0).empty());
  CHECK(random.bytes(33).size() == 33);
  CHECK(random.bytes(32) != random.bytes(32));
}

}  // namespace
}  // namespace meldevakt
