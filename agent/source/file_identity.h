// What makes a file the same file, whatever it is called: device, inode, and a fingerprint of its
// content that grows with it (invariant 1).
//
// The head covers the first up to 1024 bytes. Inodes are reused and files are truncated and filled
// again; then the head differs. Logs that begin alike (a banner) are told apart by the tail: up to
// 1024 bytes directly before the position from which reading goes on. Head and tail together also
// recognise a copy of a file under another inode, which is what copying and truncating leaves.
//
// Thread-safety: pure functions on descriptors; one OpenFile belongs to one thread.
// Errors: kNotFound, kInvalid (not a regular file), kIo; with the system's words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/time.h"

namespace meldevakt::agent {

inline constexpr std::uint32_t kHeadBytesMax = 1024;
inline constexpr std::uint32_t kTailBytesMax = 1024;

// So many NUL bytes at a file's end are room that was reserved for what will be written.
inline constexpr std::size_t kPaddingBytesMin = 16;

struct FileStat {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  std::uint64_t links = 0;
  bool regular = false;
  bool directory = false;
};

class UnpackedContent;

// A regular file open for reading; of a compressed one (by its name and its first bytes) what is
// read, hashed and measured is the content. Opening a compressed file unpacks it once, so that it
// is known to be whole before a byte of it is used. Opening never waits, not even on a pipe, and
// refuses everything that is not a regular file.
class OpenFile {
 public:
  OpenFile();
  ~OpenFile();
  OpenFile(OpenFile&& other) noexcept;
  OpenFile& operator=(OpenFile&& other) noexcept;

  // kUnavailable: a compressed file that ends in the middle; it may still be being written.
  [[nodiscard]] static Result<OpenFile> open(const std::string& path);
  // The first bytes of a file's content, without unpacking more of it than that.
  [[nodiscard]] static Result<std::string> first_bytes(const std::string& path, std::size_t size);
  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  void close();

  [[nodiscard]] Result<FileStat> stat() const;
  // Up to `size` bytes into `buffer`; fewer only at the end of the file.
  [[nodiscard]] Result<std::size_t> read(std::uint64_t offset, char* buffer,
                                         std::size_t size) const;
  // Whether nothing but NUL bytes, reserved room or a hole, stands from `offset` to the end; looks
  // at kZerosLookMax bytes at most, beyond which they are taken for room.
  [[nodiscard]] bool only_zeros_from(std::uint64_t offset) const;
  static constexpr std::uint64_t kZerosLookMax = 4 * 1024 * 1024;
  // SHA-256 of exactly [from, from + size); kNotFound when the file is shorter.
  [[nodiscard]] Result<Sha256> hash(std::uint64_t from, std::uint32_t size) const;

 private:
  explicit OpenFile(int descriptor);
  [[nodiscard]] static Result<OpenFile> open_stored(const std::string& path);
  [[nodiscard]] Result<FileStat> stat_stored() const;

  int descriptor_ = -1;
  std::unique_ptr<UnpackedContent> unpacked_;  // none: what is stored is the content
};

[[nodiscard]] Result<FileStat> stat_path(const std::string& path);

enum class FileState : std::uint8_t {
  kReading,   // may grow
  kFinished,  // read to its end and rotated away; kept so that it is not read again
  kIgnored,   // was there, outside the configuration's globs, before this source was first read
};

// What is remembered of a file between turns and over restarts.
struct KnownFile {
  std::string key;  // 32 hexadecimal digits, never used for another file
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  Sha256 head;
  std::uint32_t head_bytes = 0;
  Sha256 tail;  // of the tail_bytes before `offset`
  std::uint32_t tail_bytes = 0;
  std::uint64_t offset = 0;  // reading goes on here
  std::string path;          // last seen under this name
  FileState state = FileState::kReading;
  bool cut = false;  // a copy; what was written between copying and truncating is lost
  // Where a reader of something else than files goes on: a journal's cursor, an event's record
  // number. It belongs to `offset` of this very row.
  std::string cursor;
  auto operator<=>(const KnownFile&) const = default;
};

enum class SameContent : std::uint8_t { kYes, kNo, kUnreadable };
// Whether the open file begins with what is known, up to and including `known.offset`.
[[nodiscard]] SameContent same_content(const OpenFile& file, const KnownFile& known);

// Brings head up to at most kHeadBytesMax of a file of `size` bytes, without padding.
[[nodiscard]] Status grow_head(const OpenFile& file, std::uint64_t size, KnownFile& known);
// Sets offset and tail. REQUIRES: the file has at least `offset` bytes.
[[nodiscard]] Status set_position(const OpenFile& file, std::uint64_t offset, KnownFile& known);

}  // namespace meldevakt::agent
