#include "common/ports/sha256.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/check.h"

namespace meldevakt {
namespace {

struct FreeDigestContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
struct FreeMacContext {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

// Fetched once and kept until the process ends: in OpenSSL 3 the look-up by name costs more than
// hashing a short text. Failing here means that the library has no SHA-256: nothing can go on.
const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  MELDEVAKT_CHECK(algorithm != nullptr);
  return algorithm;
}

EVP_MAC* hmac_algorithm() {
  static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  MELDEVAKT_CHECK(algorithm != nullptr);
  return algorithm;
}

const unsigned char* as_unsigned(std::string_view bytes) {
  // An empty view may point to nothing, which OpenSSL would read as "no key given".
  static constexpr char kEmpty[1] = {};
  return reinterpret_cast<const unsigned char*>(bytes.empty() ? kEmpty : bytes.data());
}

}  // namespace

Sha256 sha256(std::string_view bytes) {
  Sha256 digest;
  const int done = EVP_Digest(as_unsigned(bytes), bytes.size(), digest.value.data(), nullptr,
                              sha256_algorithm(), nullptr);
  MELDEVAKT_CHECK(done == 1);
  return digest;
}

Sha256 hmac_sha256(std::string_view key, std::string_view bytes) {
  const std::unique_ptr<EVP_MAC_CTX, FreeMacContext> context{EVP_MAC_CTX_new(hmac_algorithm())};
  MELDEVAKT_CHECK(context != nullptr);
  char digest_name[] = "SHA256";
  const std::array<OSSL_PARAM, 2> parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0),
      OSSL_PARAM_construct_end()};
  Sha256 mac;
  std::size_t written = 0;
  MELDEVAKT_CHECK(EVP_MAC_init(context.get(), as_unsigned(key), key.size(), parameters.data()) ==
                  1);
  MELDEVAKT_CHECK(EVP_MAC_update(context.get(), as_unsigned(bytes), bytes.size()) == 1);
  MELDEVAKT_CHECK(EVP_MAC_final(context.get(), mac.value.data(), &written, mac.value.size()) == 1);
  MELDEVAKT_CHECK(written == Sha256::kBytes);
  return mac;
}

struct Sha256Stream::Context {
  Context() : digest{EVP_MD_CTX_new()} {
    MELDEVAKT_CHECK(digest != nullptr);
    start();
  }
  void start() { MELDEVAKT_CHECK(EVP_DigestInit_ex2(digest.get(), sha256_algorithm(), nullptr)); }

  std::unique_ptr<EVP_MD_CTX, FreeDigestContext> digest;
};

Sha256Stream::Sha256Stream() : context_{std::make_unique<Context>()} {}
Sha256Stream::~Sha256Stream() = default;
Sha256Stream::Sha256Stream(Sha256Stream&&) noexcept = default;
Sha256Stream& Sha256Stream::operator=(Sha256Stream&&) noexcept = default;

void Sha256Stream::update(std::string_view bytes) {
  MELDEVAKT_CHECK(context_ != nullptr);  // moved from
  MELDEVAKT_CHECK(EVP_DigestUpdate(context_->digest.get(), as_unsigned(bytes), bytes.size()) == 1);
}

Sha256 Sha256Stream::finish() {
  MELDEVAKT_CHECK(context_ != nullptr);
  Sha256 digest;
  MELDEVAKT_CHECK(EVP_DigestFinal_ex(context_->digest.get(), digest.value.data(), nullptr) == 1);
  context_->start();
  return digest;
}

}  // namespace meldevakt
