#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/check.h"
#include "common/crypto/crypto.h"
#include "common/crypto/openssl.h"
#include "common/platform/disk.h"
#include "common/ports/sha256.h"

namespace meldevakt {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kSignatureBytes = 64;
constexpr std::size_t kKeyFileBytesMax = 16 * 1024;

class OpenSslSigner : public Signer {
 public:
  OpenSslSigner(openssl::DigestContext begun, std::string public_key)
      : begun_{std::move(begun)}, public_key_{std::move(public_key)} {}

  // A context a call: the one that was begun is only read, so threads can share the signer.
  [[nodiscard]] Result<std::string> sign(std::string_view bytes) override {
    const openssl::DigestContext context{EVP_MD_CTX_new()};
    std::string signature(kSignatureBytes, '\0');
    std::size_t written = signature.size();
    if (!context || EVP_MD_CTX_copy_ex(context.get(), begun_.get()) != 1 ||
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &written,
                       openssl::as_unsigned(bytes), bytes.size()) != 1 ||
        written != kSignatureBytes) {
      return openssl::error(Errc::kIo, "cannot sign");
    }
    return signature;
  }
  [[nodiscard]] std::string public_key() const override { return public_key_; }

 private:
  openssl::DigestContext begun_;  // holds the key
  std::string public_key_;
};

Result<std::unique_ptr<Signer>> signer_over(openssl::Key key) {
  if (EVP_PKEY_is_a(key.get(), "ED25519") != 1) {
    return Error{Errc::kCorrupt, "the key is of another kind than Ed25519"};
  }
  std::string public_key(kKeyBytes, '\0');
  std::size_t written = public_key.size();
  if (EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(public_key.data()),
                                  &written) != 1 ||
      written != kKeyBytes) {
    return openssl::error(Errc::kCorrupt, "the key has no public half");
  }
  // Begun once and copied for each signature: in OpenSSL 3 beginning looks algorithms up by name,
  // under a lock that all threads share.
  openssl::DigestContext begun{EVP_MD_CTX_new()};
  if (!begun || EVP_DigestSignInit(begun.get(), nullptr, nullptr, nullptr, key.get()) != 1) {
    return openssl::error(Errc::kIo, "cannot sign with the key");
  }
  return std::unique_ptr<Signer>{
      std::make_unique<OpenSslSigner>(std::move(begun), std::move(public_key))};
}

using LittleEndian = std::array<std::uint8_t, kKeyBytes>;

constexpr LittleEndian filled(std::uint8_t first, std::uint8_t middle, std::uint8_t last) {
  LittleEndian out{};
  out.fill(middle);
  out.front() = first;
  out.back() = last;
  return out;
}

// The field's prime, 2^255 - 19.
constexpr LittleEndian kPrime = filled(0xed, 0xff, 0x7f);

// The y coordinates of the curve's eight points whose order divides 8. Under such a key one
// signature can hold for many messages, so whoever enrolled it could deny what "it" signed. The
// sign of x is of no matter: each y stands here once and both signs are refused (for y = 1 and
// y = -1, where x = 0, the other sign is not even an encoding that RFC 8032 allows). With y >= p
// refused, these are all encodings such a point has.
constexpr std::array<LittleEndian, 5> kSmallOrderY{{
    filled(0x01, 0x00, 0x00),  // order 1
    filled(0xec, 0xff, 0x7f),  // order 2: y = -1
    filled(0x00, 0x00, 0x00),  // order 4: y = 0
    // order 8: the two values of y
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
     0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
     0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
     0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
     0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
}};

// The key that this thread verified with last, and a verification begun with it: statements come
// many from one agent.
struct BegunVerification {
  std::string public_key;
  openssl::DigestContext context;

  [[nodiscard]] EVP_MD_CTX* with(std::string_view key_bytes) {
    if (context && public_key == key_bytes) return context.get();
    context.reset();
    const openssl::Key key{EVP_PKEY_new_raw_public_key(
        EVP_PKEY_ED25519, nullptr, openssl::as_unsigned(key_bytes), key_bytes.size())};
    openssl::DigestContext begun{EVP_MD_CTX_new()};
    if (!key || !begun ||
        EVP_DigestVerifyInit(begun.get(), nullptr, nullptr, nullptr, key.get()) != 1) {
      return nullptr;
    }
    public_key = key_bytes;
    context = std::move(begun);
    return context.get();
  }
};

bool is_below_prime(const LittleEndian& y) {
  for (std::size_t i = kKeyBytes; i-- > 0;) {
    if (y[i] != kPrime[i]) return y[i] < kPrime[i];
  }
  return false;
}

}  // namespace

bool OpenSslVerifier::is_acceptable_key(std::string_view public_key) const {
  if (public_key.size() != kKeyBytes) return false;
  LittleEndian y{};
  for (std::size_t i = 0; i < kKeyBytes; ++i) y[i] = static_cast<std::uint8_t>(public_key[i]);
  y.back() &= 0x7fU;  // the top bit is the sign of x
  if (!is_below_prime(y)) return false;
  for (const LittleEndian& small : kSmallOrderY) {
    if (y == small) return false;
  }
  return true;
}

bool OpenSslVerifier::verify(std::string_view public_key, std::string_view bytes,
                             std::string_view signature) const {
  // OpenSSL itself takes both kinds of bad keys (EVIDENCE: 208 of CCTV's 914 cases), so they are
  // refused here too and not only when an agent enrols.
  if (signature.size() != kSignatureBytes || !is_acceptable_key(public_key)) return false;
  thread_local BegunVerification last;
  EVP_MD_CTX* const begun = last.with(public_key);
  const openssl::DigestContext context{EVP_MD_CTX_new()};
  const bool holds =
      begun != nullptr && context && EVP_MD_CTX_copy_ex(context.get(), begun) == 1 &&
      EVP_DigestVerify(context.get(), openssl::as_unsigned(signature), signature.size(),
                       openssl::as_unsigned(bytes), bytes.size()) == 1;
  if (!holds) ERR_clear_error();  // a refused signature must not look like the next call's fault
  return holds;
}

Result<std::unique_ptr<Signer>> signer_from_seed(std::string_view seed) {
  if (seed.size() != kKeyBytes) {
    return Error{Errc::kInvalid,
                 "an Ed25519 seed has 32 bytes, not " + std::to_string(seed.size())};
  }
  openssl::Key key{EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                                openssl::as_unsigned(seed), seed.size())};
  if (!key) return openssl::error(Errc::kIo, "cannot make an Ed25519 key");
  return signer_over(std::move(key));
}

Result<std::unique_ptr<Signer>> load_signer(const std::string& path) {
  MELDEVAKT_TRY_ASSIGN(std::string pem, read_secret_file(path, kKeyFileBytesMax));
  const openssl::Cleanse cleanse{pem};
  Result<openssl::Key> key = openssl::private_key_from_pem(pem);
  if (!key) return std::move(key).error().in(path);
  Result<std::unique_ptr<Signer>> signer = signer_over(std::move(key).value());
  if (!signer) return std::move(signer).error().in(path);
  return signer;
}

Result<std::unique_ptr<Signer>> create_signer(const std::string& path) {
  openssl::Key key{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")};
  if (!key) return openssl::error(Errc::kIo, "cannot make an Ed25519 key").in(path);
  MELDEVAKT_TRY_ASSIGN(std::string pem, openssl::private_key_to_pem(key.get()));
  const openssl::Cleanse cleanse{pem};
  MELDEVAKT_TRY(write_file_atomically(path, pem, FileMode::kOwnerOnly, Replace::kNever));
  return signer_over(std::move(key));
}

std::string agent_id_of(std::string_view public_key) {
  return sha256(public_key).hex().substr(0, 32);
}

}  // namespace meldevakt
