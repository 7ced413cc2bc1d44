#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/crypto/crypto.h"
#include "common/crypto/openssl.h"
#include "common/platform/disk.h"
#include "common/ports/sha256.h"
#include "tests/unit/common/crypto/vectors.h"
#include "tests/unit/common/platform/temporary_folder.h"

namespace meldevakt {
namespace {

using testing::TemporaryFolder;

std::string from(std::string_view hex) {
  auto bytes = from_hex(hex);
  REQUIRE(bytes);
  return std::move(bytes).value();
}

std::unique_ptr<Signer> seeded(char fill) {
  auto signer = signer_from_seed(std::string(32, fill));
  REQUIRE(signer);
  return std::move(signer).value();
}

TEST_CASE("Ed25519: RFC 8032 test 2, both ways") {
  auto signer =
      signer_from_seed(from("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
  REQUIRE(signer);
  const std::string public_key = signer.value()->public_key();
  CHECK(to_hex(public_key) == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  const auto signature = signer.value()->sign("r");
  REQUIRE(signature);
  CHECK(to_hex(signature.value()) ==
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  const OpenSslVerifier verifier;
  CHECK(verifier.is_acceptable_key(public_key));
  CHECK(verifier.verify(public_key, "r", signature.value()));
}

TEST_CASE("Ed25519: any changed byte, a cut or a longer signature, another key are refused") {
  const OpenSslVerifier verifier;
  const auto signer = seeded('s');
  const std::string text = "en melding";
  const std::string key = signer->public_key();
  const auto signed_text = signer->sign(text);
  REQUIRE(signed_text);
  const std::string signature = signed_text.value();
  REQUIRE(verifier.verify(key, text, signature));
  const auto with_bit = [](std::string bytes, std::size_t bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    return bytes;
  };
  for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
    REQUIRE_FALSE(verifier.verify(key, text, with_bit(signature, bit)));
  }
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    REQUIRE_FALSE(verifier.verify(key, with_bit(text, bit), signature));
  }
  for (std::size_t bit = 0; bit < key.size() * 8; ++bit) {
    REQUIRE_FALSE(verifier.verify(with_bit(key, bit), text, signature));
  }
  for (std::size_t size = 0; size < signature.size(); ++size) {
    REQUIRE_FALSE(verifier.verify(key, text, signature.substr(0, size)));
  }
  CHECK_FALSE(verifier.verify(key, text, signature + '\0'));
  CHECK_FALSE(verifier.verify(key.substr(1), text, signature));
  CHECK_FALSE(verifier.verify({}, {}, {}));
  CHECK_FALSE(verifier.verify(seeded('t')->public_key(), text, signature));
  const auto nothing = signer->sign({});
  REQUIRE(nothing);
  CHECK(verifier.verify(key, {}, nothing.value()));
}

TEST_CASE("Ed25519: keys no honest agent has are not acceptable") {
  struct Case {
    std::string_view name;
    std::string key;
  };
  const std::string ones(30, '\xff');
  const std::string zeros(30, '\0');
  const std::vector<Case> bad{
      {"empty", ""},
      {"31 bytes", std::string(31, 'k')},
      {"33 bytes", std::string(33, 'k')},
      {"y = 0", std::string(32, '\0')},
      {"y = 0, other sign", std::string(31, '\0') + '\x80'},
      {"y = 1", '\x01' + std::string(31, '\0')},
      {"y = 1, sign of a zero", '\x01' + zeros + '\x80'},
      {"y = -1", '\xec' + ones + '\x7f'},
      {"y = -1, sign of a zero", '\xec' + ones + '\xff'},
      {"y = p, which is 0", '\xed' + ones + '\x7f'},
      {"y = p + 1, which is 1", '\xee' + ones + '\x7f'},
      {"y = p + 2: not small, but a second name for y = 2", '\xef' + ones + '\x7f'},
      {"y = 2^255 - 1", std::string(31, '\xff') + '\x7f'},
      {"y = 2^255 - 1, other sign", std::string(32, '\xff')},
  };
  const OpenSslVerifier verifier;
  for (const Case& c : bad) {
    CAPTURE(c.name);
    CHECK_FALSE(verifier.is_acceptable_key(c.key));
  }
  CHECK(verifier.is_acceptable_key('\xeb' + ones + '\x7f'));  // the largest y that may be one
  for (char fill = 'a'; fill <= 'z'; ++fill) {
    REQUIRE(verifier.is_acceptable_key(seeded(fill)->public_key()));
  }
}

TEST_CASE("Ed25519: CCTV: nothing holds under a small-order or non-canonical key") {
  const auto file = testing::vectors("cctv-ed25519/ed25519/ed25519vectors.json");
  if (!file) return;
  const OpenSslVerifier verifier;
  std::size_t bad_keys = 0;
  std::size_t accepted = 0;
  std::set<std::string> small_keys;
  for (const auto& vector : *file) {
    CAPTURE(vector["number"].get<int>());
    std::set<std::string> flags;
    if (vector["flags"].is_array()) flags = vector["flags"].get<std::set<std::string>>();
    const bool bad_key = flags.contains("low_order_A") || flags.contains("non_canonical_A");
    const std::string key = testing::raw(vector["key"]);
    const bool holds =
        verifier.verify(key, vector["msg"].get<std::string>(), testing::raw(vector["sig"]));
    if (bad_key) {
      ++bad_keys;
      small_keys.insert(key);
      REQUIRE_FALSE(verifier.is_acceptable_key(key));
      REQUIRE_FALSE(holds);
    } else {
      REQUIRE(verifier.is_acceptable_key(key));
      accepted += holds ? 1U : 0U;
    }
  }
  MESSAGE("bad keys in " << bad_keys << " vectors, all refused; others accepted: " << accepted);
  CHECK(small_keys.size() == 14);  // eight points and six second names
  CHECK(accepted == 86);           // of 208 that OpenSSL 3.0 takes, 122 have such a key
}

TEST_CASE("Ed25519: Wycheproof") {
  const auto file = testing::vectors("wycheproof/testvectors_v1/ed25519_test.json");
  if (!file) return;
  const OpenSslVerifier verifier;
  std::size_t run = 0;
  for (const auto& group : (*file)["testGroups"]) {
    const std::string key = testing::raw(group["publicKey"]["pk"]);
    for (const auto& test : group["tests"]) {
      CAPTURE(test["tcId"].get<int>());
      const bool holds = verifier.verify(key, testing::raw(test["msg"]), testing::raw(test["sig"]));
      CHECK(holds == (test["result"] == "valid"));
      ++run;
    }
  }
  CHECK(run == (*file)["numberOfTests"].get<std::size_t>());
}

TEST_CASE("signer files: created once, mode 0600, loaded as the same key") {
  const TemporaryFolder folder;
  const std::string path = folder / "signing.key";
  const auto created = create_signer(path);
  REQUIRE(created);
  struct stat state {};
  REQUIRE(::stat(path.c_str(), &state) == 0);
  CHECK((state.st_mode & 07777U) == 0600);

  const auto loaded = load_signer(path);
  REQUIRE(loaded);
  CHECK(loaded.value()->public_key() == created.value()->public_key());
  const auto signature = loaded.value()->sign("x");
  REQUIRE(signature);
  CHECK(OpenSslVerifier{}.verify(created.value()->public_key(), "x", signature.value()));

  const auto again = create_signer(path);
  REQUIRE_FALSE(again);
  CHECK(again.error().code() == Errc::kExists);
  const auto still = load_signer(path);
  REQUIRE(still);
  CHECK(still.value()->public_key() == created.value()->public_key());
}

TEST_CASE("signer files: what is no usable key says so with the path, and shows none of it") {
  const TemporaryFolder folder;
  const auto rsa_like = make_tls_key_and_request("p256");
  REQUIRE(rsa_like);
  struct Case {
    std::string name;
    std::string content;
    Errc code;
    std::string_view says;
  };
  const std::string secret = "c2VjcmV0LW9mLXRoZS1ob3VzZQ==";
  const std::vector<Case> cases{
      {"empty.key", "", Errc::kCorrupt, "not a private key"},
      {"text.key", secret, Errc::kCorrupt, "not a private key"},
      {"broken.key", "-----BEGIN PRIVATE KEY-----\n" + secret + "\n-----END PRIVATE KEY-----\n",
       Errc::kCorrupt, "not a private key"},
      // Encrypted: must fail and never wait at a terminal for a password.
      {"locked.key",
       "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: "
       "AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n" +
           secret + "\n-----END RSA PRIVATE KEY-----\n",
       Errc::kCorrupt, "not a private key"},
      {"p256.key", rsa_like.value().private_key_pem, Errc::kCorrupt, "another kind"},
      {"long.key", std::string(100'000, 'x'), Errc::kLimit, "longer"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const std::string path = folder / c.name;
    REQUIRE(write_file_atomically(path, c.content, FileMode::kOwnerOnly, Replace::kNever));
    const auto loaded = load_signer(path);
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().code() == c.code);
    CHECK(loaded.error().message().find(path) != std::string::npos);
    CHECK(loaded.error().message().find(c.says) != std::string::npos);
    CHECK(loaded.error().message().find(secret) == std::string::npos);
  }
  const auto missing = load_signer(folder / "none.key");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code() == Errc::kNotFound);

  const std::string open_path = folder / "open.key";
  REQUIRE(create_signer(open_path));
  REQUIRE(::chmod(open_path.c_str(), 0640) == 0);
  const auto open = load_signer(open_path);
  REQUIRE_FALSE(open);
  CHECK(open.error().code() == Errc::kInvalid);
  CHECK(open.error().message().find("chmod 600") != std::string::npos);
}

// A service must not wait at a terminal. In a session without one the library would read the
// password from the standard input, where the right one stands ready.
TEST_CASE("signer files: a password is never asked for") {
  const openssl::Key key{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")};
  const openssl::Bio bio = openssl::secret_bio();
  const std::string password = "hemmelig";
  REQUIRE(PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), EVP_aes_256_cbc(), password.data(),
                                        static_cast<int>(password.size()), nullptr, nullptr) == 1);
  const std::string pem = openssl::text_of(bio.get());
  REQUIRE(pem.find("ENCRYPTED") != std::string::npos);
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  REQUIRE(::write(ends[1], "hemmelig\n", 9) == 9);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::setsid();
    ::dup2(ends[0], STDIN_FILENO);
    std::clearerr(stdin);
    const auto loaded = openssl::private_key_from_pem(pem);
    ::_exit(!loaded && loaded.error().code() == Errc::kCorrupt ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  ::close(ends[0]);
  ::close(ends[1]);
  CHECK(status == 0);
}

TEST_CASE("signer_from_seed: exactly 32 bytes") {
  for (const std::size_t size : {0U, 31U, 33U, 64U}) {
    CAPTURE(size);
    const auto signer = signer_from_seed(std::string(size, 's'));
    REQUIRE_FALSE(signer);
    CHECK(signer.error().code() == Errc::kInvalid);
  }
}

TEST_CASE("agent_id_of: the first half of the key's hash") {
  const std::string key = seeded('a')->public_key();
  CHECK(agent_id_of(key) == sha256(key).hex().substr(0, 32));
  CHECK(agent_id_of(key).size() == 32);
  CHECK(agent_id_of(key) != agent_id_of(seeded('b')->public_key()));
}

}  // namespace
}  // namespace meldevakt
