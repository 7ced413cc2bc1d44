// Runs meldevakt-agent as people do: a process, its exit status, what it printed.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/child_program.h"
#include "tests/unit/agent/temp_folder.h"

namespace meldevakt::agent::testing {

struct Ran {
  int status = -1;
  std::string out;
  std::string err;
};

inline Ran run_program(const meldevakt::testing::TempFolder& folder,
                       std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), MELDEVAKT_BIN_DIR "/meldevakt-agent");
  const pid_t child = meldevakt::testing::start_child(std::move(arguments), folder / "program.out",
                                                      folder / "program.err");
  const int status = meldevakt::testing::wait_for_end(child);
  return {status, folder.read("program.out"), folder.read("program.err")};
}

// `run` with this configuration, until stop(), a signal, or the end of this.
class Running {
 public:
  explicit Running(const std::string& config) {
    std::array<int, 2> pipe{};
    REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
    child_ = meldevakt::testing::start_child(
        {MELDEVAKT_BIN_DIR "/meldevakt-agent", "run", "--config", config}, "", "", pipe[1]);
    ::close(pipe[1]);
    errors_ = pipe[0];
  }
  ~Running() {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
    ::close(errors_);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  // Takes what it logs until `text` is there or the time is over.
  bool wait_for(std::string_view text, std::chrono::milliseconds patience) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (logged.find(text) == std::string::npos) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          end - std::chrono::steady_clock::now());
      pollfd watched{errors_, POLLIN, 0};
      if (left.count() <= 0) return false;
      if (::poll(&watched, 1, static_cast<int>(left.count())) <= 0) continue;
      std::array<char, 4096> buffer{};
      const ssize_t got = ::read(errors_, buffer.data(), buffer.size());
      if (got <= 0) return false;
      logged.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return true;
  }
  // Fields 14 and 15 of /proc/PID/stat, in seconds.
  [[nodiscard]] double cpu_seconds() const {
    std::ifstream file{"/proc/" + std::to_string(child_) + "/stat"};
    std::string text{std::istreambuf_iterator<char>{file}, {}};
    std::istringstream fields{text.substr(text.rfind(')') + 2)};
    std::string word;
    for (int i = 3; i < 14; ++i) fields >> word;
    double user = 0;
    double system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  }
  // As `kill -9` does.
  void kill_at_once() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    child_ = 0;
  }
  int stop() {
    ::kill(child_, SIGTERM);
    static_cast<void>(wait_for("stopped", std::chrono::seconds{30}));
    return meldevakt::testing::wait_for_end(std::exchange(child_, 0));
  }

  std::string logged;

 private:
  pid_t child_ = 0;
  int errors_ = -1;
};

}  // namespace meldevakt::agent::testing
