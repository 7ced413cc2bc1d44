#include "agent/unpack/stream_codec.h"

#include <bzlib.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <limits>
#include <string>

#include "agent/unpack/unpacker.h"
#ifdef MELDEVAKT_HAS_ISAL
#include <isa-l/igzip_lib.h>
#endif

namespace meldevakt::agent {
namespace {

unsigned clipped(std::size_t size) {
  return static_cast<unsigned>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
}

#ifdef MELDEVAKT_HAS_ISAL
class FastGzip : public StreamCodec {
 public:
  Status begin_member() override {
    isal_inflate_init(state_.get());
    state_->crc_flag = ISAL_GZIP;
    return {};
  }
  Result<Step> step(const char* in, std::size_t in_size, char* out, std::size_t out_size) override {
    // The library's interface takes bytes that it does not write as if it did.
    state_->next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(in));
    state_->avail_in = clipped(in_size);
    state_->next_out = reinterpret_cast<std::uint8_t*>(out);
    state_->avail_out = clipped(out_size);
    const int code = isal_inflate(state_.get());
    if (code < 0 || code == ISAL_NEED_DICT) {
      return Error{Errc::kCorrupt, code == ISAL_INCORRECT_CHECKSUM ? "its checksum does not match"
                                                                   : "it is damaged"};
    }
    return Step{clipped(in_size) - state_->avail_in, clipped(out_size) - state_->avail_out,
                state_->block_state == ISAL_BLOCK_FINISH};
  }

 private:
  std::unique_ptr<inflate_state> state_ = std::make_unique<inflate_state>();
};
#endif

class PortableGzip : public StreamCodec {
 public:
  ~PortableGzip() override {
    if (open_) inflateEnd(&stream_);
  }
  Status begin_member() override {
    if (open_) inflateEnd(&stream_);
    stream_ = z_stream{};
    open_ = inflateInit2(&stream_, 15 + 16) == Z_OK;  // 16: a gzip wrapper and nothing else
    if (!open_) return Error{Errc::kLimit, "no memory for unpacking"};
    return {};
  }
  Result<Step> step(const char* in, std::size_t in_size, char* out, std::size_t out_size) override {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in));
    stream_.avail_in = clipped(in_size);
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = clipped(out_size);
    const int code = inflate(&stream_, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
      return Error{Errc::kCorrupt, "it is damaged"};
    }
    return Step{clipped(in_size) - stream_.avail_in, clipped(out_size) - stream_.avail_out,
                code == Z_STREAM_END};
  }

 private:
  z_stream stream_{};
  bool open_ = false;
};

class Bzip2 : public StreamCodec {
 public:
  ~Bzip2() override {
    if (open_) BZ2_bzDecompressEnd(&stream_);
  }
  Status begin_member() override {
    if (open_) BZ2_bzDecompressEnd(&stream_);
    stream_ = bz_stream{};
    open_ = BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK;
    if (!open_) return Error{Errc::kLimit, "no memory for unpacking"};
    return {};
  }
  Result<Step> step(const char* in, std::size_t in_size, char* out, std::size_t out_size) override {
    stream_.next_in = const_cast<char*>(in);
    stream_.avail_in = clipped(in_size);
    stream_.next_out = out;
    stream_.avail_out = clipped(out_size);
    const int code = BZ2_bzDecompress(&stream_);
    if (code != BZ_OK && code != BZ_STREAM_END) return Error{Errc::kCorrupt, "it is damaged"};
    return Step{clipped(in_size) - stream_.avail_in, clipped(out_size) - stream_.avail_out,
                code == BZ_STREAM_END};
  }

 private:
  bz_stream stream_{};
  bool open_ = false;
};

class Zstandard : public StreamCodec {
 public:
  Zstandard() : context_{ZSTD_createDCtx()} {}
  ~Zstandard() override { ZSTD_freeDCtx(context_); }
  Zstandard(const Zstandard&) = delete;
  Zstandard& operator=(const Zstandard&) = delete;

  Status begin_member() override {
    if (context_ == nullptr) return Error{Errc::kLimit, "no memory for unpacking"};
    ZSTD_DCtx_reset(context_, ZSTD_reset_session_only);
    constexpr int kWindowLogMax = 27;
    static_assert(std::size_t{1} << kWindowLogMax == Unpacker::kWindowBytesMax);
    ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, kWindowLogMax);
    return {};
  }
  Result<Step> step(const char* in, std::size_t in_size, char* out, std::size_t out_size) override {
    ZSTD_inBuffer from{in, in_size, 0};
    ZSTD_outBuffer to{out, out_size, 0};
    const std::size_t left = ZSTD_decompressStream(context_, &to, &from);
    if (ZSTD_isError(left) != 0) {
      if (ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge) {
        return Error{Errc::kLimit, "it asks for a window of more than 128 MiB"};
      }
      return Error{Errc::kCorrupt, "it is damaged"};
    }
    return Step{from.pos, to.pos, left == 0};
  }

 private:
  ZSTD_DCtx* context_;
};

}  // namespace

std::unique_ptr<StreamCodec> make_fast_gzip() {
#ifdef MELDEVAKT_HAS_ISAL
  return std::make_unique<FastGzip>();
#else
  return nullptr;
#endif
}
std::unique_ptr<StreamCodec> make_portable_gzip() {
  return std::make_unique<PortableGzip>();
}
std::unique_ptr<StreamCodec> make_bzip2() {
  return std::make_unique<Bzip2>();
}
std::unique_ptr<StreamCodec> make_zstandard() {
  return std::make_unique<Zstandard>();
}

}  // namespace meldevakt::agent
