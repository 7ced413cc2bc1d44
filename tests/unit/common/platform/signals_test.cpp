#include "common/platform/signals.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <future>
#include <thread>

namespace meldevakt {
namespace {

// A stop cannot be taken back, so each case has a process of its own.
int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(body());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

bool readable(int descriptor) {
  pollfd entry{.fd = descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&entry, 1, 0) == 1 && (entry.revents & POLLIN) != 0;
}

TEST_CASE("StopSignal: SIGTERM, SIGINT and request() set the flag and the descriptor, for good") {
  for (const int how : {SIGTERM, SIGINT, 0}) {
    CAPTURE(how);
    const int status = in_child([how] {
      if (StopSignal::requested() || StopSignal::descriptor() != -1) return 2;
      StopSignal::install();
      StopSignal::install();
      if (StopSignal::requested() || readable(StopSignal::descriptor())) return 3;
      if (how == 0) {
        StopSignal::request();
      } else if (::kill(::getpid(), how) != 0) {
        return 4;
      }
      if (!StopSignal::requested()) return 5;
      return readable(StopSignal::descriptor()) && readable(StopSignal::descriptor()) ? 0 : 6;
    });
    CHECK(status == 0);
  }
}

TEST_CASE(
    "StopSignal: a thread that waits for work does not take it, nor one who ignored it before") {
  const int status = in_child([] {
    ::signal(SIGINT, SIG_IGN);  // as a shell's background job inherits it
    StopSignal::install();
    std::promise<void> work;
    std::thread waiting{[waits = work.get_future()] { waits.wait(); }};
    ::kill(::getpid(), SIGINT);
    const bool seen = readable(StopSignal::descriptor()) && StopSignal::requested();
    work.set_value();
    waiting.join();
    return seen && StopSignal::requested() ? 0 : 2;
  });
  CHECK(status == 0);
}

TEST_CASE("StopSignal: a hundred thousand requests do not block") {
  const int status = in_child([] {
    StopSignal::install();
    for (int i = 0; i < 100'000; ++i) StopSignal::request();
    return StopSignal::requested() && readable(StopSignal::descriptor()) ? 0 : 2;
  });
  CHECK(status == 0);
}

TEST_CASE("StopSignal: a request before install() is not forgotten") {
  const int status = in_child([] {
    StopSignal::request();
    StopSignal::install();
    return StopSignal::requested() && readable(StopSignal::descriptor()) ? 0 : 2;
  });
  CHECK(status == 0);
}

TEST_CASE("StopSignal: a peer that hangs up does not end the process") {
  const int status = in_child([] {
    StopSignal::install();
    int ends[2];
    if (::pipe(ends) != 0) return 2;
    ::close(ends[0]);
    return ::write(ends[1], "x", 1) == -1 ? 0 : 3;
  });
  CHECK(status == 0);
}

}  // namespace
}  // namespace meldevakt
