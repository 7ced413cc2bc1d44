// A summary as it travels: the signed envelope and the packed bodies it names, in one byte string.
// The same bytes go over HTTPS and into a carry file.
//
//   frame := "MVF1" u32 envelope_bytes envelope u32 body_count { u32 body_bytes body } (big-endian)
//
// decode_frame checks structure and bounds only; nothing in a frame is believed, and nothing is
// decompressed, before the envelope's signature and the bodies' hashes are verified
// (collector/admit). Thread-safety: plain values. Errors: kCorrupt (truncated, trailing bytes,
// wrong magic), kLimit.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace meldevakt {

struct Frame {
  std::string envelope;             // DSSE JSON, verbatim
  std::vector<std::string> bodies;  // zstd frames, in the statement's order
  auto operator<=>(const Frame&) const = default;
};

[[nodiscard]] std::string encode_frame(const Frame& frame);
[[nodiscard]] Result<Frame> decode_frame(std::string_view bytes);

}  // namespace meldevakt
