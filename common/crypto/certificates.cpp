// Public keys, requests and fingerprints; issuing lies in authority.cpp.
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/check.h"
#include "common/crypto/crypto.h"
#include "common/crypto/x509.h"
#include "common/ports/sha256.h"

namespace meldevakt {
namespace x509 {
namespace {

// Far above any honest request or certificate of ours (under 2 kB); the parser sees no more.
constexpr std::size_t kPemBytesMax = 64 * 1024;

struct FreeBytes {
  void operator()(unsigned char* bytes) const { OPENSSL_free(bytes); }
};

template <typename Object>
Result<Sha256> hash_of_der(const Object* object, int (*encode)(const Object*, unsigned char**)) {
  unsigned char* der = nullptr;
  const int size = object == nullptr ? -1 : encode(object, &der);
  const std::unique_ptr<unsigned char, FreeBytes> owner{der};
  if (size <= 0) return openssl::error(Errc::kCorrupt, "cannot encode as DER");
  return sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
}

}  // namespace

Result<openssl::Request> request_from_pem(std::string_view pem) {
  if (pem.size() > kPemBytesMax) return Error{Errc::kLimit, "the request is too long"};
  const openssl::Bio bio = openssl::bio_over(pem);
  openssl::Request request{PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr)};
  if (!request) return openssl::error(Errc::kCorrupt, "not a certificate request in PEM");
  return request;
}

Result<openssl::Certificate> certificate_from_pem(std::string_view pem) {
  if (pem.size() > kPemBytesMax) return Error{Errc::kLimit, "the certificate is too long"};
  const openssl::Bio bio = openssl::bio_over(pem);
  openssl::Certificate certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
  if (!certificate) return openssl::error(Errc::kCorrupt, "not a certificate in PEM");
  return certificate;
}

Result<std::string> certificate_to_pem(X509* certificate) {
  const openssl::Bio bio{BIO_new(BIO_s_mem())};
  MELDEVAKT_CHECK(bio != nullptr);
  if (PEM_write_bio_X509(bio.get(), certificate) != 1) {
    return openssl::error(Errc::kIo, "cannot write a certificate as PEM");
  }
  return openssl::text_of(bio.get());
}

Result<openssl::Key> make_p256_key() {
  openssl::Key key{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")};
  if (!key) return openssl::error(Errc::kIo, "cannot make a P-256 key");
  return key;
}

Status set_common_name(X509_NAME* subject, std::string_view common_name) {
  // The library refuses more than X.520's 64 characters itself.
  if (common_name.empty() || common_name.size() > 256 ||
      X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                 openssl::as_unsigned(common_name),
                                 static_cast<int>(common_name.size()), -1, 0) != 1) {
    return openssl::error(Errc::kInvalid, "a common name has 1 to 64 characters of UTF-8");
  }
  return {};
}

}  // namespace x509

Result<KeyAndRequest> make_tls_key_and_request(std::string_view common_name) {
  MELDEVAKT_TRY_ASSIGN(const openssl::Key key, x509::make_p256_key());
  const openssl::Request request{X509_REQ_new()};
  MELDEVAKT_CHECK(request != nullptr);
  MELDEVAKT_TRY(x509::set_common_name(X509_REQ_get_subject_name(request.get()), common_name));
  const openssl::Bio bio{BIO_new(BIO_s_mem())};
  MELDEVAKT_CHECK(bio != nullptr);
  if (X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
      X509_REQ_set_pubkey(request.get(), key.get()) != 1 ||
      X509_REQ_sign(request.get(), key.get(), EVP_sha256()) <= 0 ||
      PEM_write_bio_X509_REQ(bio.get(), request.get()) != 1) {
    return openssl::error(Errc::kIo, "cannot make a certificate request");
  }
  KeyAndRequest out;
  out.request_pem = openssl::text_of(bio.get());
  MELDEVAKT_TRY_ASSIGN(out.public_key_hash, public_key_hash_of_request(out.request_pem));
  MELDEVAKT_TRY_ASSIGN(out.private_key_pem, openssl::private_key_to_pem(key.get()));
  return out;
}

Result<Sha256> public_key_hash_of_request(std::string_view request_pem) {
  MELDEVAKT_TRY_ASSIGN(const openssl::Request request, x509::request_from_pem(request_pem));
  return x509::hash_of_der<X509_PUBKEY>(X509_REQ_get_X509_PUBKEY(request.get()), i2d_X509_PUBKEY);
}

Result<Sha256> public_key_hash_of_certificate(std::string_view certificate_pem) {
  MELDEVAKT_TRY_ASSIGN(const openssl::Certificate certificate,
                       x509::certificate_from_pem(certificate_pem));
  return x509::hash_of_der<X509_PUBKEY>(X509_get_X509_PUBKEY(certificate.get()), i2d_X509_PUBKEY);
}

Result<Sha256> fingerprint_of_certificate(std::string_view certificate_pem) {
  MELDEVAKT_TRY_ASSIGN(const openssl::Certificate certificate,
                       x509::certificate_from_pem(certificate_pem));
  return x509::hash_of_der<X509>(certificate.get(), i2d_X509);
}

}  // namespace meldevakt
