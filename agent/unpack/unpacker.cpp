#include "agent/unpack/unpacker.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "agent/unpack/stream_codec.h"
#include "agent/unpack/zip_files.h"

namespace meldevakt::agent {
namespace {

// Members one after the other, until the raw bytes end.
class StreamUnpacker : public Unpacker {
 public:
  StreamUnpacker(Compression compression, std::unique_ptr<StreamCodec> codec, ReadRaw read_raw)
      : compression_{compression}, codec_{std::move(codec)}, read_raw_{std::move(read_raw)} {}

  Result<std::size_t> read(char* buffer, std::size_t size) override {
    if (failed_) return *failed_;
    std::size_t done = 0;
    while (done < size && !ended_) {
      const Result<std::size_t> got = step(buffer + done, size - done);
      if (!got) {
        failed_ = got.error();
        // What was unpacked before the damage is given first; the next read tells.
        if (done > 0) return done;
        return *failed_;
      }
      done += got.value();
    }
    return done;
  }

 private:
  Result<std::size_t> step(char* out, std::size_t size) {
    if (at_ == raw_.size() && !raw_ended_) MELDEVAKT_TRY(refill());
    if (!in_member_) {
      MELDEVAKT_TRY_ASSIGN(const bool more, next_member());
      if (!more) return std::size_t{0};
    }
    MELDEVAKT_TRY_ASSIGN(const StreamCodec::Step step,
                         codec_->step(raw_.data() + at_, raw_.size() - at_, out, size));
    at_ += step.taken;
    if (step.member_ended) in_member_ = false;
    if (in_member_ && step.taken == 0 && step.given == 0 && raw_ended_ && at_ == raw_.size()) {
      return Error{Errc::kUnavailable, "it ends in the middle"};
    }
    return step.given;
  }

  // Whether another member begins here. Zeros after the last one are padding (tapes, block
  // devices).
  Result<bool> next_member() {
    while (true) {
      const auto begin = std::find_if(raw_.begin() + static_cast<std::ptrdiff_t>(at_), raw_.end(),
                                      [](char c) { return c != '\0'; });
      if (!any_member_ || begin != raw_.end()) break;
      at_ = raw_.size();
      if (raw_ended_) {
        ended_ = true;
        return false;
      }
      MELDEVAKT_TRY(refill());
    }
    // A member's first bytes may lie across two reads.
    while (raw_.size() - at_ < kCompressionBytes && !raw_ended_) MELDEVAKT_TRY(refill());
    if (compression_of(std::string_view{raw_}.substr(at_)) != compression_) {
      return Error{Errc::kCorrupt, any_member_ ? "something else follows its content"
                                               : "it is not what its first bytes were"};
    }
    MELDEVAKT_TRY(codec_->begin_member());
    any_member_ = true;
    in_member_ = true;
    return true;
  }

  Status refill() {
    raw_.erase(0, at_);
    at_ = 0;
    const std::size_t kept = raw_.size();
    raw_.resize(kept + kRawBytes);
    const Result<std::size_t> got = read_raw_(offset_, raw_.data() + kept, kRawBytes);
    raw_.resize(kept + (got ? got.value() : 0));
    if (!got) return got.error();
    offset_ += got.value();
    raw_ended_ = got.value() < kRawBytes;
    return {};
  }

  Compression compression_;
  std::unique_ptr<StreamCodec> codec_;
  ReadRaw read_raw_;
  std::uint64_t offset_ = 0;  // of the raw bytes read
  std::string raw_;
  std::size_t at_ = 0;
  bool raw_ended_ = false;
  bool in_member_ = false;
  bool any_member_ = false;
  bool ended_ = false;
  std::optional<Error> failed_;
};

// The only file of a zip.
class ZipUnpacker : public Unpacker {
 public:
  ZipUnpacker(std::unique_ptr<ZipFiles> zip, std::unique_ptr<ByteSource> content)
      : zip_{std::move(zip)}, content_{std::move(content)} {}

  Result<std::size_t> read(char* buffer, std::size_t size) override {
    if (failed_) return *failed_;
    Result<std::size_t> got = content_->read(buffer, size);
    if (!got) failed_ = got.error();
    return got;
  }

 private:
  std::unique_ptr<ZipFiles> zip_;
  std::unique_ptr<ByteSource> content_;
  std::optional<Error> failed_;
};

Result<std::unique_ptr<Unpacker>> open_zip(ReadRaw read_raw, std::uint64_t raw_size) {
  MELDEVAKT_TRY_ASSIGN(std::unique_ptr<ZipFiles> zip,
                       ZipFiles::open(std::move(read_raw), raw_size));
  if (zip->names().empty()) return Error{Errc::kCorrupt, "it holds no file"};
  if (zip->names().size() > 1) {
    return Error{Errc::kLimit, "it holds several files; unpack it and name them"};
  }
  MELDEVAKT_TRY_ASSIGN(std::unique_ptr<ByteSource> content, zip->file(0));
  return std::unique_ptr<Unpacker>{
      std::make_unique<ZipUnpacker>(std::move(zip), std::move(content))};
}

std::unique_ptr<StreamCodec> make_codec(Compression compression, bool portable) {
  switch (compression) {
    case Compression::kGzip: {
      auto fast = portable ? nullptr : make_fast_gzip();
      return fast ? std::move(fast) : make_portable_gzip();
    }
    case Compression::kBzip2: return make_bzip2();
    case Compression::kZstandard: return make_zstandard();
    case Compression::kZip: break;
  }
  return nullptr;
}

}  // namespace

Result<std::unique_ptr<Unpacker>> Unpacker::open(Compression compression, ReadRaw read_raw,
                                                 std::uint64_t raw_size, bool portable) {
  if (compression == Compression::kZip) return open_zip(std::move(read_raw), raw_size);
  return std::unique_ptr<Unpacker>{std::make_unique<StreamUnpacker>(
      compression, make_codec(compression, portable), std::move(read_raw))};
}

}  // namespace meldevakt::agent
