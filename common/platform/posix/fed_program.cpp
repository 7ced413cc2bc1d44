#include "common/platform/fed_program.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "common/base/check.h"

namespace meldevakt {
namespace {

// The child's standard streams: its input from our pipe, its output nowhere, nothing else open.
class SpawnSettings {
 public:
  explicit SpawnSettings(int input) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigaddset(&signals, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

std::string words_of(int number) {
  return std::generic_category().message(number);
}

}  // namespace

FedProgram::~FedProgram() {
  if (child_ <= 0) return;
  ::kill(-child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
}

Status FedProgram::start(std::string_view line, Duration steady) {
  MELDEVAKT_CHECK(!running());
  if (line.size() > kFedBytesMax) return Error{Errc::kLimit, "a line is too long for a program"};
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return Error{Errc::kIo, "no pipe: " + words_of(errno)};
  }
  // Written before the program runs: a pipe takes a line without a reader.
  ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
  const bool written =
      ::write(ends[1], line.data(), line.size()) == static_cast<ssize_t>(line.size());
  ::close(ends[1]);
  Status out;
  if (written) {
    const SpawnSettings settings{ends[0]};
    std::array<char*, 2> arguments{path_.data(), nullptr};
    pid_t child = -1;
    const int failed = ::posix_spawn(&child, path_.c_str(), &settings.actions, &settings.attributes,
                                     arguments.data(), environ);
    if (failed == 0) {
      child_ = child;
      started_ = steady;
      killed_ = false;
    } else {
      out = Error{Errc::kIo, path_ + " cannot be run: " + words_of(failed)};
    }
  } else {
    out = Error{Errc::kIo, "a line could not be handed over"};
  }
  ::close(ends[0]);
  return out;
}

std::optional<FedProgram::Ended> FedProgram::poll(Duration steady) {
  if (child_ <= 0) return std::nullopt;
  int status = 0;
  const pid_t ended = ::waitpid(child_, &status, WNOHANG);
  if (ended == 0) {
    if (!killed_ && steady - started_ >= time_limit_) {
      ::kill(-child_, SIGKILL);
      killed_ = true;
    }
    return std::nullopt;
  }
  child_ = -1;
  if (killed_) {
    return Ended{false, "the program did not end within " + std::to_string(time_limit_.ms / 1000) +
                            " s and was killed"};
  }
  if (ended < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) return Ended{true, ""};
  return Ended{false, "the program ended with " +
                          (WIFEXITED(status) ? "status " + std::to_string(WEXITSTATUS(status))
                                             : "signal " + std::to_string(WTERMSIG(status)))};
}

}  // namespace meldevakt
