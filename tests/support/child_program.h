// A program started by a test as people start it, and its end, which is never waited for without a
// bound: one that hangs is told by its name and killed.
//
// posix_spawn and no fork: the child of a process with several threads may stand still before exec,
// waiting for a lock that a thread which was not copied held (sanitizers have such locks too).
// Thread-safety: none.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

namespace meldevakt::testing {

// Far more than any program of a test takes on a busy machine with a sanitizer.
inline constexpr std::chrono::seconds kChildPatience{180};
// What wait_for_end says of a program that had to be killed: no exit status, no signal.
inline constexpr int kChildHung = 999;

// Starts it; -1 where that failed. `out` and `err` are files that are made anew; with `err_pipe` at
// or above 0 that descriptor is its standard error instead.
inline pid_t start_child(std::vector<std::string> arguments, const std::string& out,
                         const std::string& err, int err_pipe = -1) {
  std::vector<char*> raw;
  for (std::string& argument : arguments) raw.push_back(argument.data());
  raw.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  constexpr int kFresh = O_WRONLY | O_CREAT | O_TRUNC;
  if (!out.empty()) posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), kFresh, 0600);
  if (err_pipe >= 0) {
    posix_spawn_file_actions_adddup2(&actions, err_pipe, 2);
  } else {
    posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), kFresh, 0600);
  }
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t no_signals;  // a test may have blocked those that ask for a stop
  sigemptyset(&no_signals);
  posix_spawnattr_setsigmask(&attributes, &no_signals);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t child = -1;
  const int failed = ::posix_spawn(&child, raw[0], &actions, &attributes, raw.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return failed == 0 ? child : -1;
}

// Its exit status; 128 and the number of the signal that ended it; kChildHung.
inline int wait_for_end(pid_t child, std::chrono::milliseconds patience = kChildPatience) {
  if (child <= 0) return 127;
  // (glibc 2.36 declares pidfd_open for C only)
  const int ended = static_cast<int>(::syscall(SYS_pidfd_open, child, 0U));
  pollfd watched{ended, POLLIN, 0};
  const bool hung = ended >= 0 && ::poll(&watched, 1, static_cast<int>(patience.count())) == 0;
  if (hung) ::kill(child, SIGKILL);
  if (ended >= 0) ::close(ended);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (hung) return kChildHung;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace meldevakt::testing
