// A file read once from beginning to end without a trace in the host's page cache: pages that were
// not in memory before are dropped again, those that were stay. A retro scan of last year's logs
// must not push the database's own pages out of memory.
//
//   MELDEVAKT_TRY_ASSIGN(std::unique_ptr<QuietFile> file, QuietFile::open(path));
//
// Reads up to the size the file had when it was opened: a file that grows faster than it is read
// comes to an end too. A file that shrinks meanwhile ends where it ends. It is never mapped for
// reading, so that a truncation is an end and not a signal, and a rename or removal is never in the
// way of its owner. Thread-safety: see ByteSource. Memory: one byte a page of a window.
// Errors: kNotFound, kInvalid (no regular file), kIo.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/unpack/byte_source.h"

namespace meldevakt::agent {

class QuietFile : public ByteSource {
 public:
  [[nodiscard]] static Result<std::unique_ptr<QuietFile>> open(const std::string& path);
  ~QuietFile() override;
  QuietFile(const QuietFile&) = delete;
  QuietFile& operator=(const QuietFile&) = delete;

  [[nodiscard]] Result<std::size_t> read(char* to, std::size_t size) override;

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::uint64_t position() const { return position_; }
  // Where to read next. Meant for reading on; a jump drops what was read before it.
  void seek(std::uint64_t position);

 private:
  QuietFile(int descriptor, std::uint64_t size) : descriptor_{descriptor}, size_{size} {}

  // Which pages from `from` on were in memory before anything here touched them.
  struct Window {
    std::uint64_t from = 0;
    std::vector<unsigned char> was_in_memory;  // by page
  };
  template <typename Visit>
  static void for_each_absent(const Window& window, const Visit& visit);
  void look_ahead();
  void drop_behind(std::uint64_t until);

  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  std::uint64_t position_ = 0;
  std::uint64_t looked_until_ = 0;
  std::vector<Window> windows_;  // looked at, not dropped yet; a few
};

}  // namespace meldevakt::agent
