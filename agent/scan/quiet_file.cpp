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

// What is read ahead at a time: little at first, for not every file is read to its end.
constexpr std::uint64_t kFirstWindowBytes = 256 * 1024;
constexpr std::uint64_t kWindowBytesMax = 4 * 1024 * 1024;
// The kernel takes no more than this at once, whatever it is asked.
constexpr std::uint64_t kReadAheadBytes = 128 * 1024;

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
  // The kernel's own reading ahead would bring pages in before they were looked at, by so much as
  // the disk's settings say: look_ahead() does it instead.
  ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_RANDOM);
  return std::unique_ptr<QuietFile>{
      new QuietFile{descriptor, static_cast<std::uint64_t>(status.st_size)}};
}

template <typename Visit>
void QuietFile::for_each_absent(const Window& window, const Visit& visit) {
  const std::vector<unsigned char>& pages = window.was_in_memory;
  for (auto at = pages.begin(); at != pages.end();) {
    const auto is_in_memory = [](unsigned char page) { return (page & 1U) != 0; };
    const auto begin = std::find_if_not(at, pages.end(), is_in_memory);
    at = std::find_if(begin, pages.end(), is_in_memory);
    if (begin == at) return;
    visit(window.from + static_cast<std::uint64_t>(begin - pages.begin()) * page_bytes(),
          static_cast<std::uint64_t>(at - begin) * page_bytes());
  }
}

QuietFile::~QuietFile() {
  drop_behind(UINT64_MAX);
  ::close(descriptor_);
}

// Asks the kernel which pages of the next window are in memory, and to bring in those that are not.
// Where it does not tell, they count as if they were: what is in doubt is left alone.
void QuietFile::look_ahead() {
  const std::uint64_t most = std::clamp(position_, kFirstWindowBytes, kWindowBytesMax);
  while (looked_until_ < size_ && looked_until_ < position_ + most) {
    const std::uint64_t bytes = std::min(most / page_bytes() * page_bytes(), size_ - looked_until_);
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
    for_each_absent(window, [&](std::uint64_t from, std::uint64_t size) {
      for (std::uint64_t at = 0; at < size; at += kReadAheadBytes) {
        ::posix_fadvise(descriptor_, static_cast<off_t>(from + at),
                        static_cast<off_t>(std::min(kReadAheadBytes, size - at)),
                        POSIX_FADV_WILLNEED);
      }
    });
    windows_.push_back(std::move(window));
  }
}

// Drops what of the windows before `until` was not in memory before.
void QuietFile::drop_behind(std::uint64_t until) {
  while (!windows_.empty()) {
    const Window& window = windows_.front();
    const std::uint64_t end = window.from + window.was_in_memory.size() * page_bytes();
    if (end > until && until != UINT64_MAX) return;
    for_each_absent(window, [&](std::uint64_t from, std::uint64_t size) {
      ::posix_fadvise(descriptor_, static_cast<off_t>(from), static_cast<off_t>(size),
                      POSIX_FADV_DONTNEED);
    });
    windows_.erase(windows_.begin());
  }
}

void QuietFile::seek(std::uint64_t position) {
  const std::uint64_t looked_from = windows_.empty() ? looked_until_ : windows_.front().from;
  if (position < looked_from || position > looked_until_) {
    drop_behind(UINT64_MAX);
    looked_until_ = position / page_bytes() * page_bytes();
  }
  position_ = position;
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
