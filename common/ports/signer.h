// Ed25519 (RFC 8032) signing and verifying. Implemented by common/crypto.
// Thread-safety: implementations are safe for concurrent use.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"

namespace meldevakt {

class Signer {
 public:
  virtual ~Signer() = default;
  [[nodiscard]] virtual Result<std::string> sign(std::string_view bytes) = 0;  // 64 bytes
  [[nodiscard]] virtual std::string public_key() const = 0;                    // 32 raw bytes
};

class Verifier {
 public:
  virtual ~Verifier() = default;
  // True when `signature` is one of `public_key` (32 raw bytes) over `bytes`.
  [[nodiscard]] virtual bool verify(std::string_view public_key, std::string_view bytes,
                                    std::string_view signature) const = 0;
  // False for keys no honest agent has: small order or non-canonical (data/vectors, CCTV).
  [[nodiscard]] virtual bool is_acceptable_key(std::string_view public_key) const = 0;
};

}  // namespace meldevakt
