#include "collector/http/enrol_request.h"

#include <utility>

#include "common/base/limits.h"
#include "common/ports/sha256.h"
#include "common/summary/json.h"
#include "common/summary/json_reader.h"

namespace meldevakt::collector {
namespace {

constexpr std::size_t kTokenBytes = 32;

struct Members {
  std::string token;
  std::string envelope;
  std::string request;
};

// Whatever is wrong with the text is the sender's mistake, also when it is over a bound.
Error malformed(const Error& error) {
  return Error{Errc::kCorrupt, error.message()};
}
Error malformed(std::string message) {
  return Error{Errc::kCorrupt, std::move(message)};
}

Result<Members> read_members(std::string_view body) {
  const Result<JsonValue> value =
      parse_json(body, {.depth_max = 1, .members_max = 8, .values_max = 9});
  if (!value) return malformed(value.error());
  JsonReader reader{value.value(), "enrolment request"};
  Members out;
  // The token is the one secret: its own form is judged when it is decoded.
  out.token = reader.text("token", [](std::string_view text) { return text.size() <= 64; });
  out.envelope = reader.text(
      "envelope", [](std::string_view text) { return text.size() <= limits::kEnvelopeBytesMax; });
  out.request = reader.text(
      "request", [](std::string_view text) { return text.size() <= kCertificateRequestBytesMax; });
  MELDEVAKT_TRY(reader.finish());
  return out;
}

}  // namespace

Result<EnrolRequest> read_enrol_request(std::string_view body, const Verifier& verifier,
                                        CertificateDesk& desk) {
  MELDEVAKT_TRY_ASSIGN(Members members, read_members(body));
  EnrolRequest read;
  const auto token = from_base64url(members.token);
  if (!token || token.value().size() != kTokenBytes) return malformed("the token has no such form");
  read.token_hash = sha256(token.value());
  read.envelope = std::move(members.envelope);
  read.request_pem = std::move(members.request);
  MELDEVAKT_TRY_ASSIGN(read.verified, verify_enrolment(read.envelope, verifier));
  const auto tls_key = desk.key_of(read.request_pem);
  if (!tls_key) return malformed("the certificate request cannot be read");
  // Three things that must belong together: the token shown, the statement signed, the key asked
  // for.
  if (read.verified.enrolment.invitation != read.token_hash) {
    return Error{Errc::kRejected, "the enrolment was signed for another invitation"};
  }
  if (read.verified.enrolment.tls_key != tls_key.value()) {
    return Error{Errc::kRejected, "the enrolment was signed for another TLS key"};
  }
  return read;
}

}  // namespace meldevakt::collector
