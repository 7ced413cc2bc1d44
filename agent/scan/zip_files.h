// The files in a zip archive, one after another.
//
//   MELDEVAKT_TRY_ASSIGN(std::unique_ptr<ZipFiles> zip, ZipFiles::open(path));
//   for (std::size_t i = 0; i < zip->names().size(); ++i) {
//     MELDEVAKT_TRY_ASSIGN(std::unique_ptr<ByteSource> file, zip->file(i));   // one at a time
//   }
//
// Folders are left out. Names are only shown, never used as paths. Thread-safety: none.
// Bounds: kZipFilesMax files. Errors: kCorrupt, kInvalid (encrypted, or a method nobody writes for
// logs), kLimit.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "agent/scan/byte_source.h"

namespace meldevakt::agent {

inline constexpr std::size_t kZipFilesMax = 10'000;

class ZipFiles {
 public:
  [[nodiscard]] static Result<std::unique_ptr<ZipFiles>> open(const std::string& path);
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
