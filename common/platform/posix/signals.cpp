#include "common/platform/signals.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>

#include "common/base/check.h"

namespace meldevakt {
namespace {

// Everything the handler touches is lock-free and already there: it may interrupt any instruction.
std::atomic<bool> stop_requested{false};
std::atomic<int> read_end{-1};
std::atomic<int> write_end{-1};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

void on_signal(int) {
  const int saved = errno;
  StopSignal::request();
  errno = saved;
}

}  // namespace

void StopSignal::install() {
  if (read_end.load() == -1) {
    std::array<int, 2> ends{};
    MELDEVAKT_CHECK(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0);
    read_end = ends[0];
    write_end = ends[1];
    if (stop_requested) request();  // it came before us
  }
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;  // a stop is asked for by the descriptor, not by broken calls
  MELDEVAKT_CHECK(::sigaction(SIGTERM, &action, nullptr) == 0);
  MELDEVAKT_CHECK(::sigaction(SIGINT, &action, nullptr) == 0);

  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigemptyset(&ignore.sa_mask);
  MELDEVAKT_CHECK(::sigaction(SIGPIPE, &ignore, nullptr) == 0);
}

bool StopSignal::requested() {
  return stop_requested.load();
}

int StopSignal::descriptor() {
  return read_end.load();
}

void StopSignal::request() {
  stop_requested = true;
  const int end = write_end.load();
  if (end == -1) return;
  // The byte is never read: the descriptor stays readable for everybody who polls it. A full pipe
  // says the same, so the result does not matter.
  [[maybe_unused]] const auto written = ::write(end, "", 1);
}

}  // namespace meldevakt
