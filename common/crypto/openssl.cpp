#include "common/crypto/openssl.h"

#include <climits>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/check.h"

namespace meldevakt::openssl {
namespace {

// Without it the library would ask at the terminal and a service would wait for ever.
int no_password(char*, int, int, void*) {
  return -1;
}

}  // namespace

Error error(Errc code, std::string_view what) {
  // The first error of the queue is the cause, the later ones are the layers it went through.
  const unsigned long cause = ERR_get_error();
  const char* const reason = cause == 0 ? nullptr : ERR_reason_error_string(cause);
  ERR_clear_error();
  std::string message{what};
  if (reason != nullptr) message.append(": ").append(reason);
  return Error{code, std::move(message)};
}

Bio bio_over(std::string_view text) {
  MELDEVAKT_CHECK(text.size() <= INT_MAX);
  Bio bio{BIO_new_mem_buf(as_unsigned(text), static_cast<int>(text.size()))};
  MELDEVAKT_CHECK(bio != nullptr);
  return bio;
}

Bio secret_bio() {
  Bio bio{BIO_new(BIO_s_secmem())};
  MELDEVAKT_CHECK(bio != nullptr);
  return bio;
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size <= 0 ? std::string{} : std::string(data, static_cast<std::size_t>(size));
}

const unsigned char* as_unsigned(std::string_view bytes) {
  static constexpr char kEmpty[1] = {};
  return reinterpret_cast<const unsigned char*>(bytes.empty() ? kEmpty : bytes.data());
}

Result<Key> private_key_from_pem(std::string_view pem) {
  const Bio bio = bio_over(pem);
  Key key{PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr)};
  if (!key) return error(Errc::kCorrupt, "not a private key in PEM without a password");
  return key;
}

Result<std::string> private_key_to_pem(EVP_PKEY* key) {
  const Bio bio = secret_bio();
  if (PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return error(Errc::kIo, "cannot write a private key as PEM");
  }
  return text_of(bio.get());
}

}  // namespace meldevakt::openssl
