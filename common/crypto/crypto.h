// Keys, signatures, random bytes and certificates, over OpenSSL 3. The only folder that includes
// its headers besides agent/ship and collector/http (TLS). Private keys live in files of mode 0600
// and never on a command line or in a log.
//
// Thread-safety: OpenSslVerifier and OpenSslRandom are safe for concurrent use; a signer too.
// Errors: kNotFound, kIo, kCorrupt (not a key), kInvalid (file readable by others), with the path.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/ports/random.h"
#include "common/ports/signer.h"

namespace meldevakt {

class OpenSslVerifier : public Verifier {
 public:
  [[nodiscard]] bool verify(std::string_view public_key, std::string_view bytes,
                            std::string_view signature) const override;
  [[nodiscard]] bool is_acceptable_key(std::string_view public_key) const override;
};

class OpenSslRandom : public Random {
 public:
  [[nodiscard]] std::string bytes(std::size_t count) override;
};

// Ed25519 from a seed of 32 bytes (tests) or a PKCS#8 PEM file.
[[nodiscard]] Result<std::unique_ptr<Signer>> signer_from_seed(std::string_view seed);
[[nodiscard]] Result<std::unique_ptr<Signer>> load_signer(const std::string& path);
// Makes a key, writes it (mode 0600, fsync, rename, fsync of the folder), returns it. kExists.
[[nodiscard]] Result<std::unique_ptr<Signer>> create_signer(const std::string& path);

// The agent's id: first 32 hexadecimal digits of SHA-256 of its first public signing key.
[[nodiscard]] std::string agent_id_of(std::string_view public_key);

// --- certificates (X.509, P-256, SHA-256)
// ---------------------------------------------------------

struct KeyAndRequest {
  std::string private_key_pem;
  std::string request_pem;  // PKCS#10
  Sha256 public_key_hash;   // of the SubjectPublicKeyInfo, DER
};
[[nodiscard]] Result<KeyAndRequest> make_tls_key_and_request(std::string_view common_name);

struct KeyAndCertificate {
  std::string private_key_pem;
  std::string certificate_pem;
};
[[nodiscard]] Result<KeyAndCertificate> make_certificate_authority(std::string_view name,
                                                                   Instant now, Duration lifetime);
// `names`: DNS names and IP addresses for the subjectAltName.
[[nodiscard]] Result<KeyAndCertificate> issue_server_certificate(
    const KeyAndCertificate& authority, const std::vector<std::string>& names, Instant now,
    Duration lifetime);
// Checks the request's own signature, then issues a clientAuth certificate with that common name.
[[nodiscard]] Result<std::string> issue_client_certificate(const KeyAndCertificate& authority,
                                                           std::string_view request_pem,
                                                           std::string_view common_name,
                                                           Instant now, Duration lifetime);
// SHA-256 of the SubjectPublicKeyInfo of a PEM request or certificate.
[[nodiscard]] Result<Sha256> public_key_hash_of_request(std::string_view request_pem);
[[nodiscard]] Result<Sha256> public_key_hash_of_certificate(std::string_view certificate_pem);
[[nodiscard]] Result<Sha256> fingerprint_of_certificate(
    std::string_view certificate_pem);  // of the DER

}  // namespace meldevakt
