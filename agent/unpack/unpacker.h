// The content of a compressed file, front to back, in bounded memory.
//
//   MELDEVAKT_TRY_ASSIGN(auto unpacker, Unpacker::open(compression, read_raw));
//   MELDEVAKT_TRY_ASSIGN(const std::size_t got, unpacker->read(buffer, sizeof buffer));   // 0: the
//   end
//
// Several gzip members, bzip2 streams or Zstandard frames one after the other are one content. A
// zip holds the content of its only file; one with several files is refused, for they are several
// logs.
//
// Libraries: ISA-L for gzip (zlib where it is not built in), libbz2, libzstd, Poco::Zip.
//
// Thread-safety: none. Ownership: the unpacker owns `read_raw`. Memory: kRawBytes and the format's
// window, at most kWindowBytesMax.
// Errors: kCorrupt, damaged, or not of this form; kUnavailable, it ends in the middle (it may still
// be being written); kLimit, it asks for a larger window or holds several files; and read_raw's
// own. After an error every further read gives the same error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "agent/unpack/compression.h"
#include "common/base/result.h"

namespace meldevakt::agent {

class Unpacker {
 public:
  static constexpr std::size_t kRawBytes = 64 * 1024;
  static constexpr std::size_t kWindowBytesMax = 128 * 1024 * 1024;

  // `portable`: zlib also where ISA-L is built in.
  // Up to `size` of the compressed bytes at `offset`; fewer only at the end of the file.
  using ReadRaw =
      std::function<Result<std::size_t>(std::uint64_t offset, char* buffer, std::size_t size)>;

  [[nodiscard]] static Result<std::unique_ptr<Unpacker>> open(Compression compression,
                                                              ReadRaw read_raw,
                                                              bool portable = false);
  virtual ~Unpacker() = default;

  // Fewer than `size` only at the end of the content; 0 after it.
  [[nodiscard]] virtual Result<std::size_t> read(char* buffer, std::size_t size) = 0;
};

}  // namespace meldevakt::agent
