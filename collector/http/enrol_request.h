// The body of POST /v1/enrol, taken apart strictly and checked as far as it can be without a store.
// Pure but for OpenSSL's reading of the request. Errors: kCorrupt (400), kRejected (403).
#pragma once

#include <string>
#include <string_view>

#include "collector/admit/admit.h"
#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/ports/signer.h"

namespace meldevakt::collector {

struct EnrolRequest {
  Sha256 token_hash;     // the token itself goes no further
  std::string envelope;  // DSSE JSON, verbatim
  std::string request_pem;
  VerifiedEnrolment verified;
};
[[nodiscard]] Result<EnrolRequest> read_enrol_request(std::string_view body,
                                                      const Verifier& verifier);

}  // namespace meldevakt::collector
