#include <openssl/rand.h>

#include <cstddef>
#include <limits>
#include <string>

#include "common/base/check.h"
#include "common/crypto/crypto.h"

namespace meldevakt {

std::string OpenSslRandom::bytes(std::size_t count) {
  MELDEVAKT_CHECK(count <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
  std::string out(count, '\0');
  // A process without randomness must not go on: its keys, salts and tokens would be guessable.
  if (count != 0) {
    MELDEVAKT_CHECK(
        RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(count)) == 1);
  }
  return out;
}

}  // namespace meldevakt
