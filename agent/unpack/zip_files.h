// The files in a zip archive, one after another.
//
//   MELDEVAKT_TRY_ASSIGN(std::unique_ptr<ZipFiles> zip, ZipFiles::open(read_raw, raw_size));
//   for (std::size_t i = 0; i < zip->names().size(); ++i) {
//     MELDEVAKT_TRY_ASSIGN(std::unique_ptr<ByteSource> file, zip->file(i));   // one at a time
//   }
//
// Folders are left out. Names are only shown, never used as paths. A file's reads are filled: fewer
// bytes than asked for only at its end.
//
// Library: Poco::Zip. Thread-safety: none. Ownership: read_raw is owned. Bounds: kZipFilesMax
// files.
// Errors: kUnavailable, it ends in the middle (the directory stands at the end); kCorrupt, damaged;
// kInvalid, encrypted, or a method nobody writes for logs; kLimit; and read_raw's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/unpack/byte_source.h"

namespace meldevakt::agent {

inline constexpr std::size_t kZipFilesMax = 10'000;

class ZipFiles {
 public:
  // `raw_size`: of the archive, as it is when it is opened.
  [[nodiscard]] static Result<std::unique_ptr<ZipFiles>> open(ReadRaw read_raw,
                                                              std::uint64_t raw_size);
  ~ZipFiles();
  ZipFiles(const ZipFiles&) = delete;
  ZipFiles& operator=(const ZipFiles&) = delete;

  [[nodiscard]] const std::vector<std::string>& names() const;
  // Valid until the next call, and while this lives.
  [[nodiscard]] Result<std::unique_ptr<ByteSource>> file(std::size_t index);

 private:
  struct State;
  explicit ZipFiles(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace meldevakt::agent
