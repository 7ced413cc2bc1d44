// Bytes from a beginning to an end, from wherever: a file, or what a compressed file holds; and how
// those who unpack read what is stored.
//
// Thread-safety: none; one source belongs to one thread. Errors: kIo, kCorrupt (the data are
// damaged) and kUnavailable (they are cut off); everything before was delivered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "common/base/result.h"

namespace meldevakt::agent {

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // Between 1 and `size` bytes, or 0 at the end. REQUIRES: size > 0.
  [[nodiscard]] virtual Result<std::size_t> read(char* to, std::size_t size) = 0;
};

// Up to `size` of the stored bytes at `offset`; fewer only at the end of the file.
using ReadRaw =
    std::function<Result<std::size_t>(std::uint64_t offset, char* buffer, std::size_t size)>;

}  // namespace meldevakt::agent
