// The body of POST /v1/enrol, taken apart strictly (common/summary/json.h: exactly its three
// members, each once, each within its bound) and checked as far as it can be without a store.
// Thread-safety: none. Errors: kCorrupt (400), kRejected (403). They never repeat the token.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "collector/admit/admit.h"
#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/ports/signer.h"

namespace meldevakt::collector {

// A PKCS#10 request for one key in PEM is below 1 kB; RSA keys of 16384 bits fit as well.
inline constexpr std::size_t kCertificateRequestBytesMax = 16 * 1024;

// Who reads certificate requests and answers them: the holder of the authority's key
// (collector/app).
class CertificateDesk {
 public:
  virtual ~CertificateDesk() = default;
  // SHA-256 of the request's SubjectPublicKeyInfo.
  [[nodiscard]] virtual Result<Sha256> key_of(std::string_view request_pem) = 0;
  // Checks the request's own signature; the certificate's common name is the agent's id.
  [[nodiscard]] virtual Result<std::string> issue(std::string_view request_pem,
                                                  std::string_view agent, Instant now) = 0;
  [[nodiscard]] virtual std::string authority_pem() const = 0;
};

struct EnrolRequest {
  Sha256 token_hash;     // the token itself goes no further
  std::string envelope;  // DSSE JSON, verbatim
  std::string request_pem;
  VerifiedEnrolment verified;
};
[[nodiscard]] Result<EnrolRequest> read_enrol_request(std::string_view body,
                                                      const Verifier& verifier,
                                                      CertificateDesk& desk);

}  // namespace meldevakt::collector
