#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "common/base/text.h"
#include "common/platform/disk.h"
#include "common/platform/posix/descriptor.h"
#include "common/platform/posix/system_error.h"

namespace meldevakt {
namespace {

using posix::Descriptor;
using posix::system_error;

// The holder writes its process number into the file, for messages only.
std::string holder_of(const Descriptor& file) {
  std::array<char, 20> text{};
  const ssize_t got = ::pread(file.get(), text.data(), text.size(), 0);
  if (got <= 0) return "another process";
  std::string digits{text.data(), static_cast<std::size_t>(got)};
  while (!digits.empty() && digits.back() == '\n') digits.pop_back();
  return parse_u64(digits) ? "process " + digits : "another process";
}

void note_holder(const Descriptor& file) {
  const std::string text = std::to_string(::getpid()) + "\n";
  // Not being able to (a full disk) takes nothing from the lock.
  if (::ftruncate(file.get(), 0) != 0) return;
  [[maybe_unused]] const auto written = ::pwrite(file.get(), text.data(), text.size(), 0);
}

}  // namespace

Result<ProcessLock> ProcessLock::acquire(const std::string& path) {
  Descriptor file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!file.is_open()) return system_error("cannot open", path, errno);
  int result = -1;
  do {
    result = ::flock(file.get(), LOCK_EX | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  if (result != 0 && errno == EWOULDBLOCK) {
    return Error{Errc::kExists, "'" + path + "' is locked: " + holder_of(file) +
                                    " is already running on this folder; stop it first"};
  }
  if (result != 0) return system_error("cannot lock", path, errno);
  note_holder(file);
  return ProcessLock{file.release()};
}

ProcessLock::ProcessLock(ProcessLock&& other) noexcept
    : descriptor_{std::exchange(other.descriptor_, -1)} {}

// The file stays: removing it would let a third process lock a name that a second one still waits
// for under the old file.
ProcessLock::~ProcessLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace meldevakt
