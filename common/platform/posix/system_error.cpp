#include "common/platform/posix/system_error.h"

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

namespace meldevakt::posix {
namespace {

std::string_view remedy(int error_number) {
  switch (error_number) {
    case ENOSPC: return "free some space (or inodes) on that file system";
    case EDQUOT: return "free some space or raise the quota of this user";
    case EACCES:
    case EPERM:
      return "check the owner and permissions of it and its folders, and which user runs this";
    case EROFS: return "the file system is mounted read-only; remount it or choose another folder";
    case ENOENT: return "check the spelling; what is to be written needs its folder first";
    case ENOTDIR: return "a part of the path is a file where a folder is needed";
    case EMFILE:
    case ENFILE: return "raise the limit of open files (LimitNOFILE, ulimit -n)";
    case EFBIG: return "raise the limit of file sizes (LimitFSIZE, ulimit -f)";
    case ELOOP: return "the path goes through too many symbolic links, or ends in one";
    case ENAMETOOLONG: return "choose a shorter path";
    case EIO: return "the disk may be failing; look into the kernel's log";
    default: return {};
  }
}

}  // namespace

Errc errc_of(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR: return Errc::kNotFound;
    case EEXIST: return Errc::kExists;
    case EISDIR:
    case ENAMETOOLONG:
    case ELOOP: return Errc::kInvalid;
    default: return Errc::kIo;
  }
}

Error system_error(std::string_view what, const std::string& path, int error_number) {
  std::string message{what};
  message += " '" + path + "': " + std::system_category().message(error_number);
  if (const std::string_view help = remedy(error_number); !help.empty()) {
    message.append("; ").append(help);
  }
  return Error{errc_of(error_number), std::move(message)};
}

}  // namespace meldevakt::posix
