#include "agent/unpack/zip_unpacker.h"

#include <Poco/Exception.h>
#include <Poco/Zip/ZipArchive.h>
#include <Poco/Zip/ZipStream.h>

#include <array>
#include <istream>
#include <optional>
#include <streambuf>
#include <string>
#include <utility>

namespace meldevakt::agent {
namespace {

// What Poco::Zip reads from: a stream over read_raw that can be positioned.
class RawStream : public std::streambuf {
 public:
  explicit RawStream(Unpacker::ReadRaw read_raw) : read_raw_{std::move(read_raw)} {}
  [[nodiscard]] const std::optional<Error>& failed() const { return failed_; }

 protected:
  int_type underflow() override {
    const Result<std::size_t> got = read_raw_(end_, buffer_.data(), buffer_.size());
    if (!got) failed_ = got.error();
    const std::size_t size = got ? got.value() : 0;
    end_ += size;
    setg(buffer_.data(), buffer_.data(), buffer_.data() + size);
    return size == 0 ? traits_type::eof() : traits_type::to_int_type(buffer_[0]);
  }
  pos_type seekoff(off_type off, std::ios_base::seekdir dir, std::ios_base::openmode) override {
    const auto here = static_cast<off_type>(end_) - (egptr() - gptr());
    if (dir == std::ios_base::end) {
      const Result<std::uint64_t> size = measure();
      if (!size) return pos_type{off_type{-1}};
      return go_to(static_cast<off_type>(size.value()) + off);
    }
    return go_to(dir == std::ios_base::cur ? here + off : off);
  }
  pos_type seekpos(pos_type pos, std::ios_base::openmode) override { return go_to(off_type{pos}); }

 private:
  pos_type go_to(off_type to) {
    if (to < 0) return pos_type{off_type{-1}};
    const auto begin = static_cast<off_type>(end_) - (egptr() - eback());
    if (to >= begin && to <= static_cast<off_type>(end_)) {
      setg(eback(), eback() + (to - begin), egptr());
    } else {
      end_ = static_cast<std::uint64_t>(to);
      setg(buffer_.data(), buffer_.data(), buffer_.data());
    }
    return pos_type{to};
  }
  // The size, by doubling and halving: read_raw only knows whether there is a byte.
  Result<std::uint64_t> measure() {
    char byte = 0;
    std::uint64_t low = 0;  // there are at least so many
    std::uint64_t high = 1;
    while (true) {
      MELDEVAKT_TRY_ASSIGN(const std::size_t got, read_raw_(high - 1, &byte, 1));
      if (got == 0) break;
      low = high;
      high *= 2;
    }
    while (low + 1 < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      MELDEVAKT_TRY_ASSIGN(const std::size_t got, read_raw_(middle - 1, &byte, 1));
      (got == 0 ? high : low) = middle;
    }
    return low;
  }

  Unpacker::ReadRaw read_raw_;
  std::array<char, Unpacker::kRawBytes> buffer_{};
  std::uint64_t end_ = 0;  // offset behind the buffered bytes
  std::optional<Error> failed_;
};

class ZipUnpacker : public Unpacker {
 public:
  explicit ZipUnpacker(ReadRaw read_raw) : raw_{std::move(read_raw)}, stream_{&raw_} {}

  Status find_file() {
    // The directory stands at the end: without it the file is still being written, or cut off.
    try {
      const Poco::Zip::ZipArchive archive{stream_};
      const Poco::Zip::ZipLocalFileHeader* only = nullptr;
      for (auto entry = archive.headerBegin(); entry != archive.headerEnd(); ++entry) {
        if (!entry->second.isFile()) continue;
        if (only != nullptr) {
          return Error{Errc::kLimit, "it holds several files; unpack it and name them"};
        }
        only = &entry->second;
      }
      if (archive.fileInfoBegin() == archive.fileInfoEnd()) return truncated();
      if (only == nullptr) return Error{Errc::kCorrupt, "it holds no file"};
      header_.emplace(*only);
      stream_.clear();
      content_ = std::make_unique<Poco::Zip::ZipInputStream>(stream_, *header_, true);
    } catch (const Poco::Exception&) {
      return raw_.failed() ? *raw_.failed() : truncated();
    } catch (const std::exception&) {
      return Error{Errc::kCorrupt, "it is damaged"};
    }
    return {};
  }

  Result<std::size_t> read(char* buffer, std::size_t size) override {
    if (failed_) return *failed_;
    if (content_->eof()) return std::size_t{0};
    try {
      content_->read(buffer, static_cast<std::streamsize>(size));
    } catch (const std::exception&) {
      failed_ = Error{Errc::kCorrupt, "it is damaged"};
    }
    const auto got = static_cast<std::size_t>(content_->gcount());
    given_ += got;
    if (!failed_ && got < size) check_end();
    if (failed_ && got == 0) return *failed_;
    return got;
  }

 private:
  static Error truncated() { return {Errc::kUnavailable, "it ends in the middle"}; }

  void check_end() {
    if (raw_.failed()) {
      failed_ = raw_.failed();
    } else if (content_->bad() || !content_->crcValid() ||
               given_ != header_->getUncompressedSize()) {
      failed_ = Error{Errc::kCorrupt, "its checksum does not match"};
    }
  }

  RawStream raw_;
  std::istream stream_;
  std::optional<Poco::Zip::ZipLocalFileHeader> header_;
  std::unique_ptr<Poco::Zip::ZipInputStream> content_;
  std::uint64_t given_ = 0;
  std::optional<Error> failed_;
};

}  // namespace

Result<std::unique_ptr<Unpacker>> open_zip(Unpacker::ReadRaw read_raw) {
  auto zip = std::make_unique<ZipUnpacker>(std::move(read_raw));
  MELDEVAKT_TRY(zip->find_file());
  return std::unique_ptr<Unpacker>{std::move(zip)};
}

}  // namespace meldevakt::agent
