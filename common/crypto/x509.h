// For .cpp files of this folder: parts of X.509 that requests and issuing share.
// Errors: kCorrupt (not what it should be), kLimit (longer than 64 kB), kInvalid (a name), kIo.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/crypto/openssl.h"

namespace meldevakt::x509 {

[[nodiscard]] Result<openssl::Request> request_from_pem(std::string_view pem);
[[nodiscard]] Result<openssl::Certificate> certificate_from_pem(std::string_view pem);
[[nodiscard]] Result<std::string> certificate_to_pem(X509* certificate);
[[nodiscard]] Result<openssl::Key> make_p256_key();
[[nodiscard]] Status set_common_name(X509_NAME* subject, std::string_view common_name);

}  // namespace meldevakt::x509
