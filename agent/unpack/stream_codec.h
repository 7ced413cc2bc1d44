// One decompressor of a library behind one shape, private to agent/unpack: bytes in, bytes out, and
// whether a member (a gzip member, a bzip2 stream, a Zstandard frame) has ended.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "agent/unpack/compression.h"
#include "common/base/result.h"

namespace meldevakt::agent {

class StreamCodec {
 public:
  struct Step {
    std::size_t taken = 0;
    std::size_t given = 0;
    bool member_ended = false;
  };
  virtual ~StreamCodec() = default;
  // Takes of `in` and fills `out` as far as it can.
  [[nodiscard]] virtual Result<Step> step(const char* in, std::size_t in_size, char* out,
                                          std::size_t out_size) = 0;
  // Before the first byte of the next member.
  [[nodiscard]] virtual Status begin_member() = 0;
};

[[nodiscard]] std::unique_ptr<StreamCodec> make_fast_gzip();  // ISA-L; nullptr when not built in
[[nodiscard]] std::unique_ptr<StreamCodec> make_portable_gzip();  // zlib
[[nodiscard]] std::unique_ptr<StreamCodec> make_bzip2();
[[nodiscard]] std::unique_ptr<StreamCodec> make_zstandard();

}  // namespace meldevakt::agent
