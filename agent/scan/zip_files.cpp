#include "agent/scan/zip_files.h"

#include <Poco/Exception.h>
#include <Poco/Zip/ZipArchive.h>
#include <Poco/Zip/ZipStream.h>

#include <fstream>

namespace meldevakt::agent {

struct ZipFiles::State {
  std::ifstream stream;
  std::unique_ptr<Poco::Zip::ZipArchive> archive;
  std::vector<std::string> names;
  std::vector<Poco::Zip::ZipLocalFileHeader> headers;
};

namespace {

class ZipFile : public ByteSource {
 public:
  ZipFile(std::istream& stream, const Poco::Zip::ZipLocalFileHeader& header)
      : in_{stream, header}, left_{header.getUncompressedSize()} {}

  // Poco throws from its stream, or sets its state, depending on what is wrong.
  [[nodiscard]] Result<std::size_t> read(char* to, std::size_t size) override {
    try {
      in_.read(to, static_cast<std::streamsize>(size));
      const auto got = static_cast<std::size_t>(in_.gcount());
      left_ -= std::min<std::uint64_t>(left_, got);
      if (got > 0) return got;
      if (left_ > 0 || in_.bad()) return Error{Errc::kCorrupt, "zip data damaged or cut off"};
      if (!in_.crcValid()) return Error{Errc::kCorrupt, "zip data damaged: the checksum is wrong"};
      return std::size_t{0};
    } catch (const Poco::Exception& exception) {
      return Error{Errc::kCorrupt, "zip data damaged: " + exception.displayText()};
    } catch (const std::exception& exception) {
      return Error{Errc::kCorrupt, std::string{"zip data damaged: "} + exception.what()};
    }
  }

 private:
  Poco::Zip::ZipInputStream in_;
  std::uint64_t left_;
};

}  // namespace

ZipFiles::ZipFiles(std::unique_ptr<State> state) : state_{std::move(state)} {}
ZipFiles::~ZipFiles() = default;

Result<std::unique_ptr<ZipFiles>> ZipFiles::open(const std::string& path) {
  auto state = std::make_unique<State>();
  try {
    state->stream.open(path, std::ios::binary);
    if (!state->stream) return Error{Errc::kIo, "cannot open"};
    state->archive = std::make_unique<Poco::Zip::ZipArchive>(state->stream);
    for (auto at = state->archive->headerBegin(); at != state->archive->headerEnd(); ++at) {
      if (!at->second.isFile()) continue;
      if (state->names.size() == kZipFilesMax) {
        return Error{Errc::kLimit,
                     "more than " + std::to_string(kZipFilesMax) + " files in one zip"};
      }
      state->names.push_back(at->first);
      state->headers.push_back(at->second);
    }
  } catch (const Poco::Exception& exception) {
    return Error{Errc::kCorrupt, "zip data damaged: " + exception.displayText()};
  } catch (const std::exception& exception) {
    return Error{Errc::kCorrupt, std::string{"zip data damaged: "} + exception.what()};
  }
  return std::unique_ptr<ZipFiles>{new ZipFiles{std::move(state)}};
}

const std::vector<std::string>& ZipFiles::names() const {
  return state_->names;
}

Result<std::unique_ptr<ByteSource>> ZipFiles::file(std::size_t index) {
  const Poco::Zip::ZipLocalFileHeader& header = state_->headers[index];
  if (header.isEncrypted()) return Error{Errc::kInvalid, "encrypted; decrypt it first"};
  if (!header.hasSupportedCompressionMethod()) {
    return Error{Errc::kInvalid, "compressed by a method other than deflate; unpack it first"};
  }
  state_->stream.clear();
  try {
    return std::unique_ptr<ByteSource>{std::make_unique<ZipFile>(state_->stream, header)};
  } catch (const Poco::Exception& exception) {
    return Error{Errc::kCorrupt, "zip data damaged: " + exception.displayText()};
  } catch (const std::exception& exception) {
    return Error{Errc::kCorrupt, std::string{"zip data damaged: "} + exception.what()};
  }
}

}  // namespace meldevakt::agent
