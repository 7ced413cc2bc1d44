#include "common/pack/pack.h"

#include <zstd.h>

#include <memory>

#include "common/base/check.h"
#include "common/base/limits.h"

namespace meldevakt {
namespace {

constexpr std::string_view kMagic{"\x28\xb5\x2f\xfd", 4};
constexpr std::uint64_t kWindowBytesMax = std::uint64_t{1} << limits::kZstdWindowLogMax;

Error corrupt(std::string_view why) {
  return {Errc::kCorrupt, "body: " + std::string{why}};
}

// What the first bytes of a frame ask of the reader (RFC 8878, 3.1.1.1). Read here and not asked of
// the library, whose stable interface does not tell the window and whose one-call decoder does not
// bound it.
struct FrameHeader {
  std::uint64_t window_bytes = 0;  // 0: a single segment, the window is the content
  bool has_dictionary = false;
};

Result<FrameHeader> read_frame_header(std::string_view packed) {
  // A skippable frame has another magic number and no content; it is refused here too.
  if (packed.size() < 6 || packed.substr(0, kMagic.size()) != kMagic) {
    return corrupt("not a zstd frame");
  }
  const auto descriptor = static_cast<unsigned char>(packed[4]);
  FrameHeader header;
  header.has_dictionary = (descriptor & 0x03) != 0;
  if ((descriptor & 0x20) == 0) {
    const auto window = static_cast<unsigned char>(packed[5]);
    const std::uint64_t base = std::uint64_t{1} << (10 + (window >> 3));
    header.window_bytes = base + base / 8 * (window & 7);
  }
  return header;
}

}  // namespace

std::string pack(std::string_view plain) {
  std::string packed(ZSTD_compressBound(plain.size()), '\0');
  const std::size_t bytes =
      ZSTD_compress(packed.data(), packed.size(), plain.data(), plain.size(), kPackLevel);
  MELDEVAKT_CHECK(ZSTD_isError(bytes) == 0);  // only memory can be missing
  packed.resize(bytes);
  return packed;
}

Result<std::string> unpack(std::string_view packed, std::uint64_t plain_bytes) {
  if (plain_bytes > limits::kBodyPlainBytesMax || packed.size() > limits::kBodyPackedBytesMax) {
    return Error{Errc::kLimit, "body: larger than the bound"};
  }
  MELDEVAKT_TRY_ASSIGN(const FrameHeader header, read_frame_header(packed));
  if (header.window_bytes > kWindowBytesMax) {
    return Error{Errc::kLimit,
                 "body: needs a window of " + std::to_string(header.window_bytes) + " bytes"};
  }
  if (header.has_dictionary) return corrupt("needs a dictionary that is not known here");
  if (ZSTD_getFrameContentSize(packed.data(), packed.size()) != plain_bytes) {
    return corrupt("the frame does not declare the size that the statement declares");
  }
  const std::size_t frame_bytes = ZSTD_findFrameCompressedSize(packed.data(), packed.size());
  if (ZSTD_isError(frame_bytes) != 0) return corrupt("truncated or damaged zstd frame");
  if (frame_bytes != packed.size()) return corrupt("bytes after the zstd frame");

  std::string plain(plain_bytes, '\0');
  const std::size_t bytes =
      ZSTD_decompress(plain.data(), plain.size(), packed.data(), packed.size());
  // The library's error values are larger than any size.
  if (bytes != plain_bytes) return corrupt("damaged zstd frame");
  return plain;
}

}  // namespace meldevakt
