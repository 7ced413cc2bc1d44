// For .cpp files of this folder: OpenSSL's objects with owners, and its error queue as an Error.
//
// Every owner frees with the library's own function. Text of private keys goes through memory that
// is cleansed: secret_bio() and Cleanse.
//
// Thread-safety: the error queue belongs to the calling thread.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/error.h"
#include "common/base/result.h"

namespace meldevakt::openssl {

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};

using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using BigNumber = std::unique_ptr<BIGNUM, Free<BN_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Request = std::unique_ptr<X509_REQ, Free<X509_REQ_free>>;
using Time = std::unique_ptr<ASN1_TIME, Free<ASN1_TIME_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>;
using OctetString = std::unique_ptr<ASN1_OCTET_STRING, Free<ASN1_OCTET_STRING_free>>;
using Ia5String = std::unique_ptr<ASN1_IA5STRING, Free<ASN1_IA5STRING_free>>;
using Name = std::unique_ptr<GENERAL_NAME, Free<GENERAL_NAME_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>>;

// Overwrites a string when it goes out of scope, before its memory goes back to the heap.
class Cleanse {
 public:
  explicit Cleanse(std::string& secret) : secret_{secret} {}
  Cleanse(const Cleanse&) = delete;
  Cleanse& operator=(const Cleanse&) = delete;
  ~Cleanse() { OPENSSL_cleanse(secret_.data(), secret_.size()); }

 private:
  std::string& secret_;
};

// "what: the library's reason". Empties the thread's queue of errors; names reasons only, never
// data. For `code` kIo the fault is the machine's, for kCorrupt the input's.
[[nodiscard]] Error error(Errc code, std::string_view what);

// Over `text`, which must live longer. Never null. REQUIRES: at most INT_MAX bytes.
[[nodiscard]] Bio bio_over(std::string_view text);
// A buffer to write a private key into; cleansed when freed.
[[nodiscard]] Bio secret_bio();
[[nodiscard]] std::string text_of(BIO* bio);

// Pointer for the library's unsigned world; never null.
[[nodiscard]] const unsigned char* as_unsigned(std::string_view bytes);

// PEM, PKCS#8 without a password (it never asks for one). kCorrupt.
[[nodiscard]] Result<Key> private_key_from_pem(std::string_view pem);
[[nodiscard]] Result<std::string> private_key_to_pem(EVP_PKEY* key);

}  // namespace meldevakt::openssl
