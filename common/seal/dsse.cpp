#include "common/seal/dsse.h"

#include <utility>
#include <vector>

#include "common/base/limits.h"
#include "common/ports/sha256.h"
#include "common/summary/json.h"
#include "common/summary/json_reader.h"

namespace meldevakt {
namespace {

constexpr std::size_t kKeyIdDigits = 16;
constexpr std::size_t kSignatureBytes = 64;

bool is_any(std::string_view) {
  return true;
}

bool is_type(std::string_view text) {
  constexpr std::size_t bytes_max = 128;
  if (text.empty() || text.size() > bytes_max) return false;
  for (const char c : text) {
    if (c <= ' ' || c > '~') return false;
  }
  return true;
}

bool is_key_id(std::string_view text) {
  constexpr std::size_t bytes_max = 128;
  return text.size() <= bytes_max;
}

// The bytes of a member that is Base64; `fits` says whether they may be that many.
template <typename Fits>
std::string base64_member(JsonReader& reader, std::string_view name, const Fits& fits) {
  Result<std::string> bytes = from_base64(reader.text(name, is_any));
  if (bytes && fits(bytes.value().size())) return std::move(bytes).value();
  reader.fail(name, "not of the form it must have");
  return {};
}

struct Signature {
  std::string key_id;
  std::string bytes;
};

Result<Signature> read_signature(const JsonValue& value) {
  JsonReader reader{value, "signature"};
  Signature out;
  out.key_id = reader.text("keyid", is_key_id);
  out.bytes =
      base64_member(reader, "sig", [](std::size_t size) { return size == kSignatureBytes; });
  MELDEVAKT_TRY(reader.finish());
  return out;
}

}  // namespace

std::string pre_authentication_encoding(std::string_view type, std::string_view payload) {
  std::string out;
  out.reserve(type.size() + payload.size() + 32);
  out.append("DSSEv1 ").append(std::to_string(type.size())).append(" ").append(type);
  out.append(" ").append(std::to_string(payload.size())).append(" ").append(payload);
  return out;
}

Sha256 link_hash(std::string_view type, std::string_view payload) {
  return sha256(pre_authentication_encoding(type, payload));
}

Result<std::string> seal(std::string_view type, std::string_view payload, Signer& signer) {
  MELDEVAKT_TRY_ASSIGN(const std::string signature,
                       signer.sign(pre_authentication_encoding(type, payload)));
  JsonWriter json;
  json.begin_object().member("payload", to_base64(payload)).member("payloadType", type);
  json.name("signatures").begin_array().begin_object();
  json.member("keyid", sha256(signer.public_key()).hex().substr(0, kKeyIdDigits));
  json.member("sig", to_base64(signature)).end_object().end_array().end_object();
  return std::move(json).take();
}

Result<Envelope> parse_envelope(std::string_view json) {
  if (json.size() > limits::kEnvelopeBytesMax) {
    return Error{Errc::kLimit,
                 "envelope: more than " + std::to_string(limits::kEnvelopeBytesMax) + " bytes"};
  }
  Result<JsonValue> value = parse_json(json, {.depth_max = 3, .members_max = 8, .values_max = 16});
  if (!value) return std::move(value).error().in("envelope");
  JsonReader reader{value.value(), "envelope"};
  Envelope envelope;
  envelope.payload = base64_member(reader, "payload", [](std::size_t) { return true; });
  envelope.payload_type = reader.text("payloadType", is_type);
  std::vector<Signature> signatures = reader.list<Signature>("signatures", 1, read_signature);
  reader.require(signatures.size() == 1, "signatures", "not exactly one");
  MELDEVAKT_TRY(reader.finish());
  envelope.key_id = std::move(signatures[0].key_id);
  envelope.signature = std::move(signatures[0].bytes);
  return envelope;
}

Status verify_envelope(const Envelope& envelope, std::string_view type, std::string_view public_key,
                       const Verifier& verifier) {
  if (envelope.payload_type != type) {
    return Error{Errc::kRejected, "envelope: of another type than " + std::string{type}};
  }
  if (!verifier.is_acceptable_key(public_key)) {
    return Error{Errc::kRejected, "envelope: the public key is one that no honest signer has"};
  }
  const std::string signed_bytes =
      pre_authentication_encoding(envelope.payload_type, envelope.payload);
  if (!verifier.verify(public_key, signed_bytes, envelope.signature)) {
    return Error{Errc::kRejected, "envelope: the signature does not fit"};
  }
  return {};
}

}  // namespace meldevakt
