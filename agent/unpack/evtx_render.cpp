#include "agent/unpack/evtx_render.h"

// Debian's libevtx has no header of the library that it reads files with, and needs none.
#include <libevtx/features.h>
#undef LIBEVTX_HAVE_BFIO
#include <libevtx.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

namespace meldevakt::agent {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif
#else
constexpr bool kIsSanitized = false;
#endif

// What the child says of one record, in front of its text.
struct Told {
  std::uint32_t index = 0;
  std::uint32_t bytes = 0;
};

// Memory that the child writes to and this process reads when the child is gone: what was said
// before a crash is there, without a call of the system for each record.
class Board {
 public:
  static constexpr std::size_t kBytes = kEvtxRenderedBytesMax;

  Board() {
    void* const memory =
        ::mmap(nullptr, sizeof(Layout), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED) layout_ = new (memory) Layout;
  }
  ~Board() {
    if (layout_ != nullptr) ::munmap(layout_, sizeof(Layout));
  }
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;
  [[nodiscard]] bool is_there() const { return layout_ != nullptr; }

  // False: it is full.
  bool write(const Told& told, std::string_view text) {
    const std::size_t used = layout_->used;
    if (kBytes - used < sizeof told + text.size()) return false;
    std::memcpy(layout_->bytes + used, &told, sizeof told);
    std::memcpy(layout_->bytes + used + sizeof told, text.data(), text.size());
    layout_->used = used + sizeof told + text.size();
    return true;
  }
  // From `read` on. The child may have written anything, also here.
  [[nodiscard]] std::string_view said(std::size_t read) const {
    const std::size_t used = std::min<std::size_t>(layout_->used, kBytes);
    return {layout_->bytes + read, used - std::min(used, read)};
  }

 private:
  struct Layout {
    std::atomic<std::size_t> used{0};
    char bytes[kBytes];
  };
  Layout* layout_ = nullptr;
};

class Descriptor {
 public:
  explicit Descriptor(int descriptor = -1) : descriptor_{descriptor} {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : descriptor_{std::exchange(other.descriptor_, -1)} {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      close();
      descriptor_ = std::exchange(other.descriptor_, -1);
    }
    return *this;
  }
  [[nodiscard]] int get() const { return descriptor_; }
  void close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }

 private:
  int descriptor_;
};

Error failed(std::string_view doing) {
  return {Errc::kIo, std::string{doing} + ": " + std::generic_category().message(errno)};
}

bool write_all(int to, const void* data, std::size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t done = ::write(to, at, size);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    at += done;
    size -= static_cast<std::size_t>(done);
  }
  return true;
}

// libevtx opens files by name only.
Result<Descriptor> in_memory(std::string_view file) {
  Descriptor out{::memfd_create("evtx", MFD_CLOEXEC)};
  if (out.get() < 0) return failed("memory for an event log");
  if (!write_all(out.get(), file.data(), file.size())) return failed("memory for an event log");
  return out;
}

// --- in the child -------------------------------------------------------------------------------

// The text of a record; 0 bytes when it cannot be shown. With the NUL behind it that libevtx
// writes.
std::string text_of(libevtx_record_t* record, std::uint64_t id) {
  std::uint64_t own = 0;
  std::size_t size = 0;
  if (libevtx_record_get_identifier(record, &own, nullptr) != 1 || own != id) return "";
  if (libevtx_record_get_utf8_xml_string_size(record, &size, nullptr) != 1) return "";
  if (size == 0 || size > kEvtxEventBytesMax) return "";
  std::string out(size, '\0');
  auto* const bytes = reinterpret_cast<std::uint8_t*>(out.data());
  if (libevtx_record_get_utf8_xml_string(record, bytes, size, nullptr) != 1) return "";
  out.resize(::strnlen(out.data(), size));
  return out;
}

void show(const char* path, std::size_t from, const std::vector<EvtxRecord>& records,
          const EvtxTell& tell) {
  libevtx_file_t* file = nullptr;
  if (libevtx_file_initialize(&file, nullptr) != 1) return;
  if (libevtx_file_open(file, path, LIBEVTX_OPEN_READ, nullptr) != 1) return;
  for (std::size_t i = from; i < records.size(); ++i) {
    libevtx_record_t* record = nullptr;
    std::string text;
    if (libevtx_file_get_record_by_index(file, static_cast<int>(i), &record, nullptr) == 1) {
      text = text_of(record, records[i].id);
      libevtx_record_free(&record, nullptr);
    }
    if (!tell(i, text)) return;
  }
}

std::uint64_t memory_now() {
  char text[64] = {};
  const Descriptor file{::open("/proc/self/statm", O_RDONLY | O_CLOEXEC)};
  if (file.get() < 0 || ::read(file.get(), text, sizeof text - 1) <= 0) return 0;
  return ::strtoull(text, nullptr, 10) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// So many children may stand still in one record. Sanitizers hold locks of their own when a process
// of several threads is forked, so that there it happens to any.
constexpr std::size_t kStuckMax = kIsSanitized ? 3 : 2;

void bound_it(std::uint64_t memory) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTERM, SIGINT, SIGHUP}) {
    ::signal(number, SIG_DFL);
  }
  sigset_t no_signals;  // the agent takes its stop from a descriptor and has those blocked
  ::sigemptyset(&no_signals);
  ::sigprocmask(SIG_SETMASK, &no_signals, nullptr);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  const auto whole_seconds = static_cast<rlim_t>(kEvtxRenderTime.ms / 1000);
  const rlimit time{whole_seconds, whole_seconds};
  ::setrlimit(RLIMIT_CPU, &time);
  if (kIsSanitized || memory == 0) return;  // sanitizers reserve all the memory that there is
  const rlimit most{memory + kEvtxRenderMemory, memory + kEvtxRenderMemory};
  ::setrlimit(RLIMIT_AS, &most);
}

// --- in this process ----------------------------------------------------------------------------

struct Child {
  pid_t pid = -1;
  Descriptor alive;  // a pipe whose other end is closed when the child ends
};

Result<Child> start(const Descriptor& file, std::size_t from,
                    const std::vector<EvtxRecord>& records, EvtxShow show_records, Board& board) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return failed("a pipe for showing an event log");
  Child child{-1, Descriptor{ends[0]}};
  const Descriptor other{ends[1]};
  char path[64] = {};
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", file.get());
  const std::uint64_t memory = memory_now();
  child.pid = ::fork();
  if (child.pid < 0) return failed("a process for showing an event log");
  if (child.pid == 0) {
    bound_it(memory);
    show_records(path, from, records, [&board](std::size_t index, std::string_view text) {
      return board.write(
          {static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(text.size())}, text);
    });
    ::_exit(0);
  }
  return child;
}

// Until it ends, or its time is over; true: it ended by itself.
bool wait_for(const Child& child) {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + std::chrono::milliseconds{kEvtxRenderTime.ms};
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    pollfd ended{child.alive.get(), POLLIN, 0};
    const int polled = ::poll(&ended, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (polled >= 0 || errno != EINTR) return polled > 0;
  }
}

void end(const Child& child) {
  ::kill(child.pid, SIGKILL);  // it has ended, or has had its time
  while (::waitpid(child.pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

// Which record comes after the last one that was told of.
std::size_t take(std::string_view said, std::size_t from, std::vector<std::string>& events) {
  while (said.size() >= sizeof(Told)) {
    Told told;
    std::memcpy(&told, said.data(), sizeof told);
    said.remove_prefix(sizeof told);
    if (told.index != from || from >= events.size() || told.bytes > said.size()) break;
    events[from] = said.substr(0, told.bytes);
    said.remove_prefix(told.bytes);
    ++from;
  }
  return from;
}

}  // namespace

Result<std::vector<std::string>> render_apart(std::string_view file,
                                              const std::vector<EvtxRecord>& records) {
  return render_apart_with(show, file, records);
}

Result<std::vector<std::string>> render_apart_with(EvtxShow show_records, std::string_view file,
                                                   const std::vector<EvtxRecord>& records) {
  MELDEVAKT_TRY_ASSIGN(const Descriptor memory, in_memory(file));
  Board board;
  if (!board.is_there()) return failed("memory for an event log");
  std::vector<std::string> events(records.size());
  std::size_t at = 0;
  std::size_t read = 0;
  std::optional<std::size_t> stuck_in;
  std::size_t stuck = 0;  // children that stood still there
  for (std::size_t children = 0; at < records.size() && children < kEvtxChildrenMax; ++children) {
    MELDEVAKT_TRY_ASSIGN(const Child child, start(memory, at, records, show_records, board));
    const bool ended = wait_for(child);
    end(child);
    const std::string_view said = board.said(read);
    read += said.size();
    const std::size_t reached = take(said, at, events);
    // A child that ran out of time may wait for a lock that another thread held when it was forked,
    // or the machine is busy: a record is given up for that when several stand still in it.
    if (!ended) {
      stuck = stuck_in == reached ? stuck + 1 : 1;
      stuck_in = reached;
    }
    const bool once_more = !ended && stuck < kStuckMax;
    at = once_more ? reached : reached + 1;  // without the record that it ended in
  }
  return events;
}

}  // namespace meldevakt::agent
