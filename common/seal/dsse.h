// DSSE 1.0.2: signatures over exact bytes, with the type inside what is signed. Nothing is ever
// serialised again: the payload's own bytes are signed, stored, shipped and verified.
//
//   MELDEVAKT_TRY_ASSIGN(std::string json, seal(kStatementType, payload, signer));
//   MELDEVAKT_TRY_ASSIGN(Envelope envelope, parse_envelope(json));
//   MELDEVAKT_TRY(verify_envelope(envelope, kStatementType, public_key, verifier));
//   ... only now is envelope.payload read.
//
// Thread-safety: pure but for the signer's key. Errors: kCorrupt (form), kRejected (signature).
// Source: github.com/secure-systems-lab/dsse protocol.md; one Ed25519 signature, keyid is a hint
// only.
#pragma once

#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/ports/signer.h"

namespace meldevakt {

struct Envelope {
  std::string payload_type;
  std::string payload;    // decoded bytes
  std::string key_id;     // hint: first 16 hexadecimal digits of SHA-256 of the public key
  std::string signature;  // 64 bytes
};

// "DSSEv1" SP len(type) SP type SP len(payload) SP payload
[[nodiscard]] std::string pre_authentication_encoding(std::string_view type,
                                                      std::string_view payload);

// The link of the chain: SHA-256 of the pre-authentication encoding.
[[nodiscard]] Sha256 link_hash(std::string_view type, std::string_view payload);

[[nodiscard]] Result<std::string> seal(std::string_view type, std::string_view payload,
                                       Signer& signer);
[[nodiscard]] Result<Envelope> parse_envelope(
    std::string_view json);  // exactly one signature; strict
[[nodiscard]] Status verify_envelope(const Envelope& envelope, std::string_view type,
                                     std::string_view public_key, const Verifier& verifier);

}  // namespace meldevakt
