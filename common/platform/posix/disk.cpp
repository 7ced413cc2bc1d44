#include "common/platform/disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "common/platform/posix/descriptor.h"
#include "common/platform/posix/system_error.h"

namespace meldevakt {
namespace {

using posix::Descriptor;
using posix::system_error;

Descriptor open_retrying(const char* path, int flags, mode_t mode = 0) {
  int number = -1;
  do {
    number = ::open(path, flags | O_CLOEXEC | O_NOCTTY, mode);
  } while (number < 0 && errno == EINTR);
  return Descriptor{number};
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<std::string> read_all(const Descriptor& file, const std::string& path,
                             std::size_t bytes_max) {
  std::string bytes;
  std::array<char, 16 * 1024> buffer;
  while (true) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("cannot read", path, errno);
    if (got == 0) return bytes;
    const auto count = static_cast<std::size_t>(got);
    if (count > bytes_max - bytes.size()) {
      return Error{Errc::kLimit, "cannot read '" + path + "': it is longer than the " +
                                     std::to_string(bytes_max) + " bytes expected at most"};
    }
    bytes.append(buffer.data(), count);
  }
}

Status write_all(const Descriptor& file, const std::string& path, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error("cannot write", path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

// Removes the temporary file unless it was moved to its place.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& target) : path_{target + ".tmp-XXXXXX"} {
    descriptor_number_ = ::mkostemp(path_.data(), O_CLOEXEC);
    if (descriptor_number_ < 0) error_number_ = errno;
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (descriptor_number_ >= 0 && !moved_) ::unlink(path_.c_str());
  }

  [[nodiscard]] Descriptor take_descriptor() const { return Descriptor{descriptor_number_}; }
  [[nodiscard]] int error_number() const { return error_number_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  // Returns 0 or the error number.
  [[nodiscard]] int move_to(const std::string& target, Replace replace) {
    if (replace == Replace::kAllowed) {
      if (::rename(path_.c_str(), target.c_str()) != 0) return errno;
      moved_ = true;
      return 0;
    }
    if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) == 0) {
      moved_ = true;
      return 0;
    }
    if (errno != EINVAL && errno != ENOSYS) return errno;
    // A file system without that flag: a hard link never replaces, and the destructor removes the
    // temporary name.
    return ::link(path_.c_str(), target.c_str()) == 0 ? 0 : errno;
  }

 private:
  std::string path_;
  int descriptor_number_ = -1;
  int error_number_ = 0;
  bool moved_ = false;
};

enum class Sync : std::uint8_t { kNo, kYes };

Status fill(const TemporaryFile& temporary, const std::string& path, std::string_view bytes,
            FileMode mode, Sync sync) {
  Descriptor file = temporary.take_descriptor();
  // Set outright, so that the result does not depend on the umask.
  const mode_t bits = mode == FileMode::kOwnerOnly ? 0600 : 0644;
  if (::fchmod(file.get(), bits) != 0) return system_error("cannot write", path, errno);
  MELDEVAKT_TRY(write_all(file, path, bytes));
  if (sync == Sync::kYes && ::fsync(file.get()) != 0) {
    return system_error("cannot sync", path, errno);
  }
  if (!file.close()) return system_error("cannot close", path, errno);
  return {};
}

Status sync_folder(const std::string& folder) {
  const Descriptor descriptor = open_retrying(folder.c_str(), O_RDONLY | O_DIRECTORY);
  if (!descriptor.is_open()) return system_error("cannot open folder", folder, errno);
  if (::fsync(descriptor.get()) != 0) return system_error("cannot sync folder", folder, errno);
  return {};
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  const Descriptor file = open_retrying(path.c_str(), O_RDONLY);
  if (!file.is_open()) return system_error("cannot open", path, errno);
  return read_all(file, path, bytes_max);
}

Result<std::string> read_secret_file(const std::string& path, std::size_t bytes_max) {
  const Descriptor file = open_retrying(path.c_str(), O_RDONLY);
  if (!file.is_open()) return system_error("cannot open", path, errno);
  // Asked of the open file, not of the name: the name may point elsewhere a moment later.
  struct stat state {};
  if (::fstat(file.get(), &state) != 0) return system_error("cannot examine", path, errno);
  if (!S_ISREG(state.st_mode)) {
    return Error{Errc::kInvalid, "cannot use '" + path + "': it is not an ordinary file"};
  }
  if ((state.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    std::array<char, 8> mode{};
    std::snprintf(mode.data(), mode.size(), "%04o", state.st_mode & 07777U);
    return Error{Errc::kInvalid, "'" + path + "' holds a secret but others may open it (mode " +
                                     mode.data() + "); run: chmod 600 '" + path + "'"};
  }
  return read_all(file, path, bytes_max);
}

Status write_file_atomically(const std::string& path, std::string_view bytes, FileMode mode,
                             Replace replace) {
  TemporaryFile temporary{path};
  if (temporary.error_number() != 0) {
    return system_error("cannot create", path, temporary.error_number());
  }
  MELDEVAKT_TRY(fill(temporary, path, bytes, mode, Sync::kYes));
  // Opened before the move: whatever can fail without harm fails first.
  const std::string folder = folder_of(path);
  const Descriptor directory = open_retrying(folder.c_str(), O_RDONLY | O_DIRECTORY);
  if (!directory.is_open()) return system_error("cannot open folder", folder, errno);

  if (const int error_number = temporary.move_to(path, replace); error_number != 0) {
    return system_error("cannot create", path, error_number);
  }
  if (::fsync(directory.get()) != 0) {
    const int error_number = errno;
    // What was not to be replaced was not there before: leave nothing that may vanish later.
    if (replace == Replace::kNever) ::unlink(path.c_str());
    return system_error("cannot sync folder", folder, error_number);
  }
  return {};
}

Status replace_file_unsynced(const std::string& path, std::string_view bytes, FileMode mode) {
  TemporaryFile temporary{path};
  if (temporary.error_number() != 0) {
    return system_error("cannot create", path, temporary.error_number());
  }
  MELDEVAKT_TRY(fill(temporary, path, bytes, mode, Sync::kNo));
  if (const int number = temporary.move_to(path, Replace::kAllowed); number != 0) {
    return system_error("cannot create", path, number);
  }
  return {};
}

Status make_private_directory(const std::string& path) {
  if (path.empty()) return Error{Errc::kInvalid, "the name of a folder is empty"};
  if (::mkdir(path.c_str(), 0700) == 0) return sync_folder(folder_of(path));
  if (errno == ENOENT) {
    const std::string parent = folder_of(path);
    if (parent != path && parent != ".") {
      MELDEVAKT_TRY(make_private_directory(parent));
      if (::mkdir(path.c_str(), 0700) == 0) return sync_folder(parent);
    }
  }
  const int error_number = errno;
  struct stat state {};
  if (error_number == EEXIST && ::stat(path.c_str(), &state) == 0) {
    if (S_ISDIR(state.st_mode)) return {};
    return Error{Errc::kInvalid, "'" + path + "' must be a folder but is a file"};
  }
  return system_error("cannot create folder", path, error_number);
}

}  // namespace meldevakt
