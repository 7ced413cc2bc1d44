#include "collector/http/enrol_request.h"

#include <nlohmann/json.hpp>

#include "common/ports/sha256.h"

namespace meldevakt::collector {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kTokenBytes = 32;

Error malformed(std::string message) {
  return Error{Errc::kCorrupt, std::move(message)};
}

Result<Json> read_object(std::string_view body) {
  Json json = Json::parse(body, nullptr, false);
  if (!json.is_object() || json.size() != 3) {
    return malformed("expected a JSON object of token, envelope and request");
  }
  for (const char* member : {"token", "envelope", "request"}) {
    if (!json.contains(member) || !json[member].is_string()) {
      return malformed(std::string("member '") + member + "' is missing or no string");
    }
  }
  return json;
}

}  // namespace

Result<EnrolRequest> read_enrol_request(std::string_view body, const Verifier& verifier,
                                        CertificateDesk& desk) {
  MELDEVAKT_TRY_ASSIGN(const Json json, read_object(body));
  EnrolRequest read;
  const auto token = from_base64url(json["token"].get_ref<const std::string&>());
  if (!token || token.value().size() != kTokenBytes) return malformed("the token has no such form");
  read.token_hash = sha256(token.value());
  read.envelope = json["envelope"].get<std::string>();
  read.request_pem = json["request"].get<std::string>();
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
