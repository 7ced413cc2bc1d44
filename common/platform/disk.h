// Whole small files, durably: keys, certificates, invitations, configuration.
//
// write_file_atomically is the one durable-write recipe: open(temp, O_EXCL, mode), write, fsync,
// close, rename, fsync(folder). A failed fsync is never retried: the error is returned and the
// temporary file removed. A crash in between can leave "NAME.tmp-XXXXXX" beside the file,
// no wider readable than it; nothing reads it. The mode is set outright, whatever the umask. After
// an error a replaced file holds the old bytes or the new ones, whole; a file that was not to be
// replaced is not there.
//
// Thread-safety: safe for different paths.
// Errors: kNotFound, kExists, kLimit (longer than bytes_max), kInvalid (permissions), kIo; with the
// path and the system's own words and, where one is known, a remedy ("No space left on device; free
// some space ...").
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace meldevakt {

enum class FileMode : std::uint8_t { kOwnerOnly, kEveryoneReads };  // 0600, 0644
enum class Replace : std::uint8_t { kNever, kAllowed };

[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t bytes_max);
// As read_file, but kInvalid with a remedy ("chmod 600 ...") when group or others may read it.
[[nodiscard]] Result<std::string> read_secret_file(const std::string& path, std::size_t bytes_max);
[[nodiscard]] Status write_file_atomically(const std::string& path, std::string_view bytes,
                                           FileMode mode, Replace replace);
// Whole or not at all for who reads it, but not synced: for what is written again soon anyway.
[[nodiscard]] Status replace_file_unsynced(const std::string& path, std::string_view bytes,
                                           FileMode mode);
[[nodiscard]] Status make_private_directory(
    const std::string& path);  // 0700, parents too; ok when there

// Held until destroyed (flock on `path`, created 0600) or until the process ends in any way.
// kExists, with its process number, when another process (or this one) holds it. The file stays.
class ProcessLock {
 public:
  [[nodiscard]] static Result<ProcessLock> acquire(const std::string& path);
  ProcessLock(ProcessLock&& other) noexcept;
  ProcessLock& operator=(ProcessLock&&) = delete;
  ~ProcessLock();

 private:
  explicit ProcessLock(int descriptor) : descriptor_{descriptor} {}
  int descriptor_;
};

}  // namespace meldevakt
