// SHA-256 and HMAC-SHA-256 as pure functions.
//
// A port bound when a program is linked: rings 1 and 2 need the functions but may not name OpenSSL;
// the one implementation lies in common/crypto and every program links it (meldevakt_program does).
//
//   Sha256 id = sha256("some bytes");
//   Sha256Stream stream; stream.update(a); stream.update(b); Sha256 same = stream.finish();
//
// Thread-safety: the functions are pure; one Sha256Stream belongs to one thread.
#pragma once

#include <memory>
#include <string_view>

#include "common/base/bytes.h"

namespace meldevakt {

[[nodiscard]] Sha256 sha256(std::string_view bytes);
[[nodiscard]] Sha256 hmac_sha256(std::string_view key, std::string_view bytes);

class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(Sha256Stream&&) noexcept;
  Sha256Stream& operator=(Sha256Stream&&) noexcept;

  void update(std::string_view bytes);
  [[nodiscard]] Sha256 finish();  // and starts anew

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace meldevakt
