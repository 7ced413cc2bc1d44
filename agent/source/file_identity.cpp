#include "agent/source/file_identity.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include "agent/source/names.h"
#include "agent/source/unpacked_content.h"
#include "common/ports/sha256.h"

namespace meldevakt::agent {
namespace {

Error os_error(int number) {
  const std::string words = std::generic_category().message(number);
  if (number == ENOENT || number == ENOTDIR) return {Errc::kNotFound, words};
  if (number == EACCES || number == EPERM) return {Errc::kRejected, words};
  return {Errc::kIo, words};
}

FileStat from_system(const struct stat& s) {
  FileStat out;
  out.device = s.st_dev;
  out.inode = s.st_ino;
  out.size = s.st_size > 0 ? static_cast<std::uint64_t>(s.st_size) : 0;
  out.modified_ns = static_cast<std::int64_t>(s.st_mtim.tv_sec) * 1'000'000'000 + s.st_mtim.tv_nsec;
  out.links = s.st_nlink;
  out.regular = S_ISREG(s.st_mode);
  out.directory = S_ISDIR(s.st_mode);
  return out;
}

Result<std::size_t> read_at(int descriptor, std::uint64_t offset, char* buffer, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t n =
        ::pread(descriptor, buffer + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return os_error(errno);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

}  // namespace

OpenFile::OpenFile() = default;
OpenFile::OpenFile(int descriptor) : descriptor_{descriptor} {}
OpenFile::OpenFile(OpenFile&& other) noexcept
    : descriptor_{std::exchange(other.descriptor_, -1)}, unpacked_{std::move(other.unpacked_)} {}
OpenFile::~OpenFile() {
  close();
}

OpenFile& OpenFile::operator=(OpenFile&& other) noexcept {
  if (this != &other) {
    close();
    descriptor_ = std::exchange(other.descriptor_, -1);
    unpacked_ = std::move(other.unpacked_);
  }
  return *this;
}

void OpenFile::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
  unpacked_.reset();
}

Result<OpenFile> OpenFile::open_stored(const std::string& path) {
  // O_NONBLOCK: opening a pipe for reading would otherwise wait for its writer.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0) return os_error(errno);
  OpenFile file{descriptor};
  MELDEVAKT_TRY_ASSIGN(const FileStat stat, file.stat_stored());
  if (!stat.regular) {
    return Error{Errc::kInvalid, stat.directory ? "is a directory" : "is not a regular file"};
  }
  return file;
}

namespace {

ReadRaw read_descriptor(int descriptor) {
  return [descriptor](std::uint64_t offset, char* buffer, std::size_t size) {
    return read_at(descriptor, offset, buffer, size);
  };
}

Result<std::optional<Compression>> compression_at(int descriptor) {
  std::array<char, kCompressionBytes> first{};
  MELDEVAKT_TRY_ASSIGN(const std::size_t got, read_at(descriptor, 0, first.data(), first.size()));
  // Empty, or a few bytes: its writer has only begun.
  if (got < first.size()) return Error{Errc::kUnavailable, "it ends in the middle"};
  return compression_of({first.data(), got});
}

}  // namespace

Result<OpenFile> OpenFile::open(const std::string& path) {
  MELDEVAKT_TRY_ASSIGN(OpenFile file, open_stored(path));
  if (!is_compressed_name(path)) return file;
  MELDEVAKT_TRY_ASSIGN(const auto compression, compression_at(file.descriptor_));
  if (!compression) return Error{Errc::kCorrupt, "it is not compressed in a way known here"};
  MELDEVAKT_TRY_ASSIGN(const FileStat stored, file.stat_stored());
  MELDEVAKT_TRY_ASSIGN(
      file.unpacked_,
      UnpackedContent::open(*compression, read_descriptor(file.descriptor_), stored.size));
  return file;
}

Result<std::string> OpenFile::first_bytes(const std::string& path, std::size_t size) {
  MELDEVAKT_TRY_ASSIGN(OpenFile file, open_stored(path));
  std::string out(size, '\0');
  std::size_t got = 0;
  if (is_compressed_name(path)) {
    MELDEVAKT_TRY_ASSIGN(const auto compression, compression_at(file.descriptor_));
    if (!compression) return Error{Errc::kCorrupt, "it is not compressed in a way known here"};
    MELDEVAKT_TRY_ASSIGN(const FileStat stored, file.stat_stored());
    MELDEVAKT_TRY_ASSIGN(
        auto unpacker,
        Unpacker::open(*compression, read_descriptor(file.descriptor_), stored.size));
    MELDEVAKT_TRY_ASSIGN(got, unpacker->read(out.data(), size));
  } else {
    MELDEVAKT_TRY_ASSIGN(got, file.read(0, out.data(), size));
  }
  out.resize(got);
  return out;
}

Result<FileStat> OpenFile::stat_stored() const {
  struct stat s {};
  if (::fstat(descriptor_, &s) != 0) return os_error(errno);
  return from_system(s);
}

Result<FileStat> OpenFile::stat() const {
  MELDEVAKT_TRY_ASSIGN(FileStat out, stat_stored());
  if (unpacked_) out.size = unpacked_->size();
  return out;
}

Result<std::size_t> OpenFile::read(std::uint64_t offset, char* buffer, std::size_t size) const {
  if (unpacked_) return unpacked_->read(offset, buffer, size);
  return read_at(descriptor_, offset, buffer, size);
}

bool OpenFile::only_zeros_from(std::uint64_t offset) const {
  if (!unpacked_) {
    // A hole is skipped by the file system; ENXIO says that no data follows.
    const off_t data = ::lseek(descriptor_, static_cast<off_t>(offset), SEEK_DATA);
    if (data < 0 && errno == ENXIO) return true;
    if (data > static_cast<off_t>(offset)) offset = static_cast<std::uint64_t>(data);
  }
  std::array<char, 16 * 1024> block{};
  for (const std::uint64_t end = offset + kZerosLookMax; offset < end;) {
    const auto got = read(offset, block.data(), block.size());
    if (!got || got.value() == 0) return true;
    const std::string_view bytes{block.data(), got.value()};
    if (bytes.find_first_not_of('\0') != std::string_view::npos) return false;
    offset += bytes.size();
  }
  return true;
}

Result<Sha256> OpenFile::hash(std::uint64_t from, std::uint32_t size) const {
  std::array<char, std::max(kHeadBytesMax, kTailBytesMax)> buffer{};
  MELDEVAKT_CHECK(size <= buffer.size());
  MELDEVAKT_TRY_ASSIGN(const std::size_t got, read(from, buffer.data(), size));
  if (got < size) return Error{Errc::kNotFound, "the file is shorter"};
  return sha256({buffer.data(), size});
}

Result<FileStat> stat_path(const std::string& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return os_error(errno);
  return from_system(s);
}

SameContent same_content(const OpenFile& file, const KnownFile& known) {
  const auto head = file.hash(0, known.head_bytes);
  if (!head)
    return head.error().code() == Errc::kNotFound ? SameContent::kNo : SameContent::kUnreadable;
  if (known.head_bytes > 0 && head.value() != known.head) return SameContent::kNo;
  const auto tail = file.hash(known.offset - known.tail_bytes, known.tail_bytes);
  if (!tail)
    return tail.error().code() == Errc::kNotFound ? SameContent::kNo : SameContent::kUnreadable;
  if (known.tail_bytes > 0 && tail.value() != known.tail) return SameContent::kNo;
  return SameContent::kYes;
}

Status grow_head(const OpenFile& file, std::uint64_t size, KnownFile& known) {
  const auto want = static_cast<std::uint32_t>(std::min<std::uint64_t>(size, kHeadBytesMax));
  if (want <= known.head_bytes) return {};
  std::array<char, kHeadBytesMax> buffer{};
  MELDEVAKT_TRY_ASSIGN(const std::size_t got, file.read(0, buffer.data(), want));
  std::string_view head{buffer.data(), got};
  const std::size_t last = head.find_last_not_of('\0');
  const std::size_t text = last == std::string_view::npos ? 0 : last + 1;
  if (head.size() - text >= kPaddingBytesMin) head = head.substr(0, text);
  if (head.size() <= known.head_bytes) return {};
  known.head = sha256(head);
  known.head_bytes = static_cast<std::uint32_t>(head.size());
  return {};
}

Status set_position(const OpenFile& file, std::uint64_t offset, KnownFile& known) {
  const auto bytes = static_cast<std::uint32_t>(std::min<std::uint64_t>(offset, kTailBytesMax));
  MELDEVAKT_TRY_ASSIGN(known.tail, file.hash(offset - bytes, bytes));
  known.tail_bytes = bytes;
  known.offset = offset;
  return {};
}

}  // namespace meldevakt::agent
