#include "common/platform/executable.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>

#include "common/platform/posix/descriptor.h"
#include "common/platform/posix/system_error.h"
#include "common/ports/sha256.h"

namespace meldevakt {

Result<Sha256> own_executable_sha256() {
  const std::string path = "/proc/self/exe";
  const posix::Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file.is_open())
    return posix::system_error("cannot read the program's own file", path, errno);
  Sha256Stream digest;
  std::array<char, 64 * 1024> buffer;
  while (true) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return posix::system_error("cannot read the program's own file", path, errno);
    if (got == 0) return digest.finish();
    digest.update(std::string_view{buffer.data(), static_cast<std::size_t>(got)});
  }
}

}  // namespace meldevakt
