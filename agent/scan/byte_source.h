// Bytes from a beginning to an end, from wherever: a file, or what a compressed file holds.
//
// Thread-safety: none; one source belongs to one thread. Errors: kIo, kCorrupt (the data are
// damaged or cut off; everything before was delivered).
#pragma once

#include <cstddef>

#include "common/base/result.h"

namespace meldevakt::agent {

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // Between 1 and `size` bytes, or 0 at the end. REQUIRES: size > 0.
  [[nodiscard]] virtual Result<std::size_t> read(char* to, std::size_t size) = 0;
};

}  // namespace meldevakt::agent
