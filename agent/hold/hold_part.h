// One part of a hold as a file: a readable head that says what it is, and the log's bytes,
// compressed and sealed to the tenant's hold key. The head is bound to the seal: a part under
// another head, or a head that was changed, does not open.
//
//   MELDEVAKT_TRY_ASSIGN(std::string file, encode_part(part, bytes, public_key));
//   MELDEVAKT_TRY_ASSIGN(PartHead head, read_part_head(file));     // which key it needs
//   MELDEVAKT_TRY_ASSIGN(std::string bytes, decode_part(file, private_key));
//
// Pure but for the random key of each seal. Thread-safety: free of shared state. Bounds:
// kHoldPartBytes of log, kPartHeadBytesMax, kPartFileBytesMax. Errors: kCorrupt, kInvalid, kIo.
// Format: FORMAT.md.
#pragma once

#include <string>
#include <string_view>

#include "agent/hold/hold.h"
#include "common/base/result.h"

namespace meldevakt::agent {

inline constexpr std::string_view kPartMagic = "MVHOLD01";
inline constexpr std::size_t kPartHeadBytesMax = 16 * 1024;
// Zstandard makes incompressible bytes at most 1/256 longer; tags are 1/4096.
inline constexpr std::size_t kPartFileBytesMax =
    kHoldPartBytes + kHoldPartBytes / 128 + kPartHeadBytesMax + 1024;

struct PartHead {
  HoldPart part;  // without `stored` and `stored_bytes`
  std::string tenant;
  std::string key_id;  // box_key_id of the key it is sealed to
  std::uint64_t plain_bytes = 0;
  std::size_t size = 0;  // of the head in the file
};

[[nodiscard]] Result<std::string> encode_part(const HoldPart& part, const std::string& tenant,
                                              std::string_view bytes, std::string_view public_key);
[[nodiscard]] Result<PartHead> read_part_head(std::string_view file);
// The log's bytes, whose hash is the head's.
[[nodiscard]] Result<std::string> decode_part(std::string_view file, std::string_view private_key);

}  // namespace meldevakt::agent
