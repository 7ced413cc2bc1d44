#include "common/platform/signals.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

#include "common/base/check.h"

namespace meldevakt {
namespace {

// A stop is a signal that stays pending: nobody handles it and nobody reads it, so every poll of
// the descriptor sees it, and there is no moment at which it could be lost. (A handler runs in
// whichever thread the kernel chooses; ThreadSanitizer puts it off until that thread does something
// again, which one that waits for work may never do.)
std::atomic<int> stop_descriptor{-1};
std::atomic<bool> requested_early{false};

}  // namespace

void StopSignal::install() {
  if (stop_descriptor.load() != -1) return;
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigemptyset(&ignore.sa_mask);
  MELDEVAKT_CHECK(::sigaction(SIGPIPE, &ignore, nullptr) == 0);

  sigset_t stops;
  sigemptyset(&stops);
  for (const int number : {SIGTERM, SIGINT}) {
    // A signal that is ignored, as a shell may have set it, would not stay.
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    sigemptyset(&standard.sa_mask);
    MELDEVAKT_CHECK(::sigaction(number, &standard, nullptr) == 0);
    sigaddset(&stops, number);
  }
  MELDEVAKT_CHECK(::pthread_sigmask(SIG_BLOCK, &stops, nullptr) == 0);
  stop_descriptor = ::signalfd(-1, &stops, SFD_CLOEXEC | SFD_NONBLOCK);
  MELDEVAKT_CHECK(stop_descriptor.load() != -1);
  if (requested_early) request();
}

bool StopSignal::requested() {
  if (stop_descriptor.load() == -1) return requested_early;
  pollfd stop{stop_descriptor.load(), POLLIN, 0};
  return ::poll(&stop, 1, 0) == 1;
}

int StopSignal::descriptor() {
  return stop_descriptor.load();
}

void StopSignal::request() {
  if (stop_descriptor.load() == -1) {
    requested_early = true;
  } else {
    ::kill(::getpid(), SIGTERM);  // to the process, whichever thread asks
  }
}

}  // namespace meldevakt
