// Random bytes for salts, tokens and jitter. Implemented by common/crypto (OpenSSL), and by
// common/testing with a fixed sequence. Thread-safety: implementations are safe for concurrent use.
#pragma once

#include <cstddef>
#include <string>

namespace meldevakt {

class Random {
 public:
  virtual ~Random() = default;
  [[nodiscard]] virtual std::string bytes(std::size_t count) = 0;
};

}  // namespace meldevakt
