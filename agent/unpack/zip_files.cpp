#include "agent/unpack/zip_files.h"

#include <Poco/Exception.h>
#include <Poco/Zip/ZipArchive.h>
#include <Poco/Zip/ZipStream.h>

#include <array>
#include <istream>
#include <optional>
#include <streambuf>
#include <utility>

namespace meldevakt::agent {
namespace {

Error damaged() {
  return {Errc::kCorrupt, "it is damaged"};
}

// What Poco::Zip reads from: a stream over read_raw that can be positioned.
class RawStream : public std::streambuf {
 public:
  RawStream(ReadRaw read_raw, std::uint64_t size) : read_raw_{std::move(read_raw)}, size_{size} {}
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
    if (dir == std::ios_base::end) return go_to(static_cast<off_type>(size_) + off);
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

  ReadRaw read_raw_;
  std::uint64_t size_;
  std::array<char, 64 * 1024> buffer_{};
  std::uint64_t end_ = 0;  // offset behind the buffered bytes
  std::optional<Error> failed_;
};

class ZipFile : public ByteSource {
 public:
  ZipFile(RawStream& raw, std::istream& stream, const Poco::Zip::ZipLocalFileHeader& header)
      : raw_{raw}, content_{stream, header}, left_{header.getUncompressedSize()} {}

  // Poco throws from its stream, or sets its state, depending on what is wrong.
  [[nodiscard]] Result<std::size_t> read(char* to, std::size_t size) override {
    if (ended_) return std::size_t{0};
    bool threw = false;
    try {
      content_.read(to, static_cast<std::streamsize>(size));
    } catch (const std::exception&) {
      threw = true;
    }
    const auto got = static_cast<std::size_t>(content_.gcount());
    left_ -= std::min<std::uint64_t>(left_, got);
    if (got > 0) return got;
    if (raw_.failed()) return *raw_.failed();
    if (threw || content_.bad() || left_ > 0) return damaged();
    if (!content_.crcValid()) return Error{Errc::kCorrupt, "its checksum does not match"};
    ended_ = true;
    return std::size_t{0};
  }

 private:
  RawStream& raw_;
  Poco::Zip::ZipInputStream content_;
  std::uint64_t left_;
  bool ended_ = false;
};

}  // namespace

struct ZipFiles::State {
  State(ReadRaw read_raw, std::uint64_t size) : raw{std::move(read_raw), size}, stream{&raw} {}

  Status read_directory() {
    // The directory stands at the end: without it the file is still being written, or cut off.
    try {
      const Poco::Zip::ZipArchive archive{stream};
      for (auto at = archive.headerBegin(); at != archive.headerEnd(); ++at) {
        // The library looks at the last letter of a name that may have none.
        if (!at->first.empty() && at->second.isDirectory()) continue;
        if (names.size() == kZipFilesMax) {
          return Error{Errc::kLimit, "it holds more than " + std::to_string(kZipFilesMax) +
                                         " files; unpack it first"};
        }
        names.push_back(at->first);
        headers.push_back(at->second);
      }
      if (raw.failed()) return *raw.failed();
      if (archive.fileInfoBegin() == archive.fileInfoEnd()) return cut_off();
    } catch (const Poco::Exception&) {
      return raw.failed() ? *raw.failed() : cut_off();
    } catch (const std::exception&) {
      return damaged();
    }
    return {};
  }
  static Error cut_off() { return {Errc::kUnavailable, "it ends in the middle"}; }

  RawStream raw;
  std::istream stream;
  std::vector<std::string> names;
  std::vector<Poco::Zip::ZipLocalFileHeader> headers;
};

ZipFiles::ZipFiles(std::unique_ptr<State> state) : state_{std::move(state)} {}
ZipFiles::~ZipFiles() = default;

Result<std::unique_ptr<ZipFiles>> ZipFiles::open(ReadRaw read_raw, std::uint64_t raw_size) {
  auto state = std::make_unique<State>(std::move(read_raw), raw_size);
  MELDEVAKT_TRY(state->read_directory());
  return std::unique_ptr<ZipFiles>{new ZipFiles{std::move(state)}};
}

const std::vector<std::string>& ZipFiles::names() const {
  return state_->names;
}

Result<std::unique_ptr<ByteSource>> ZipFiles::file(std::size_t index) {
  const Poco::Zip::ZipLocalFileHeader& header = state_->headers[index];
  if (header.isEncrypted()) return Error{Errc::kInvalid, "it is encrypted; decrypt it first"};
  if (!header.hasSupportedCompressionMethod()) {
    return Error{Errc::kInvalid, "compressed by a method other than deflate; unpack it first"};
  }
  state_->stream.clear();
  try {
    return std::unique_ptr<ByteSource>{
        std::make_unique<ZipFile>(state_->raw, state_->stream, header)};
  } catch (const std::exception&) {
    return state_->raw.failed() ? *state_->raw.failed() : damaged();
  }
}

}  // namespace meldevakt::agent
