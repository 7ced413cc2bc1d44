// The content of a compressed file, front to back, in bounded memory.
//
//   MELDEVAKT_TRY_ASSIGN(auto unpacker, Unpacker::open(compression, read_raw, raw_size));
//   MELDEVAKT_TRY_ASSIGN(const std::size_t got, unpacker->read(buffer, sizeof buffer));
//   // 0: the end
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
// be being written); kInvalid, it is encrypted; kLimit, it asks for a larger window or holds
// several files; and read_raw's own. After an error every further read gives the same error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "agent/unpack/byte_source.h"
#include "agent/unpack/compression.h"
#include "common/base/result.h"

namespace meldevakt::agent {

class Unpacker : public ByteSource {
 public:
  static constexpr std::size_t kRawBytes = 64 * 1024;
  static constexpr std::size_t kWindowBytesMax = 128 * 1024 * 1024;

  // `raw_size`: of the compressed file as it is now; only a zip asks for it.
  // `portable`: zlib also where ISA-L is built in.
  [[nodiscard]] static Result<std::unique_ptr<Unpacker>> open(Compression compression,
                                                              ReadRaw read_raw,
                                                              std::uint64_t raw_size,
                                                              bool portable = false);

  // Fewer than `size` only at the end of the content; 0 after it.
  [[nodiscard]] Result<std::size_t> read(char* buffer, std::size_t size) override = 0;
};

}  // namespace meldevakt::agent
