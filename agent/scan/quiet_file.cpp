#include "agent/scan/quiet_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace meldevakt::agent {
namespace {

// The kernel reads ahead of us: a window must be looked at before it gets there.
constexpr std::uint64_t kWindowBytes = 8 * 1024 * 1024;

std::uint64_t page_bytes() {
  static const auto bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

Error system_error(const std::string& what) {
  const int code = errno;
  const Errc kind = code == ENOENT || code == ENOTDIR ? Errc::kNotFound : Errc::kIo;
  return Error{kind, what + ": " + std::generic_category().message(code)};
}

}  // namespace

Result<std::unique_ptr<QuietFile>> QuietFile::open(const std::string& path) {
  // Without waiting, on a pipe that nobody writes to either.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0) return system_error("cannot open");
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor);
    return Error{Errc::kInvalid, "not a regular file"};
  }
  ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
  return std::unique_ptr<QuietFile>{
      new QuietFile{descriptor, static_cast<std::uint64_t>(status.st_size)}};
}

QuietFile::~QuietFile() {
  drop_behind(UINT64_MAX);
  ::close(descriptor_);
}

// Asks the kernel which pages of the next window are in memory. Where it does not tell, they count
// as if they were: what is in doubt is left alone.
void QuietFile::look_ahead() {
  while (looked_until_ < size_ && looked_until_ < position_ + 2 * kWindowBytes) {
    const std::uint64_t bytes = std::min(kWindowBytes, size_ - looked_until_);
    Window window;
    window.from = looked_until_;
    window.was_in_memory.assign((bytes + page_bytes() - 1) / page_bytes(), 1);
    void* const mapped = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, descriptor_,
                                static_cast<off_t>(looked_until_));
    if (mapped != MAP_FAILED) {
      if (::mincore(mapped, bytes, window.was_in_memory.data()) != 0) {
        std::fill(window.was_in_memory.begin(), window.was_in_memory.end(), 1);
      }
      ::munmap(mapped, bytes);
    }
    looked_until_ += bytes;
    windows_.push_back(std::move(window));
  }
}

// Drops what of the windows before `until` was not in memory before.
void QuietFile::drop_behind(std::uint64_t until) {
  while (!windows_.empty()) {
    const Window& window = windows_.front();
    const std::size_t pages = window.was_in_memory.size();
    if (window.from + pages * page_bytes() > until && until != UINT64_MAX) return;
    for (std::size_t page = 0; page < pages;) {
      std::size_t end = page;
      while (end < pages && (window.was_in_memory[end] & 1U) == (window.was_in_memory[page] & 1U)) {
        ++end;
      }
      if ((window.was_in_memory[page] & 1U) == 0) {
        ::posix_fadvise(descriptor_, static_cast<off_t>(window.from + page * page_bytes()),
                        static_cast<off_t>((end - page) * page_bytes()), POSIX_FADV_DONTNEED);
      }
      page = end;
    }
    windows_.erase(windows_.begin());
  }
}

Result<std::size_t> QuietFile::read(char* to, std::size_t size) {
  look_ahead();
  const std::uint64_t left = size_ - std::min(position_, size_);
  const std::size_t want = static_cast<std::size_t>(std::min<std::uint64_t>(size, left));
  while (want > 0) {
    const ssize_t got = ::pread(descriptor_, to, want, static_cast<off_t>(position_));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("cannot read");
    position_ += static_cast<std::uint64_t>(got);
    drop_behind(position_);
    return static_cast<std::size_t>(got);
  }
  return std::size_t{0};
}

}  // namespace meldevakt::agent
