// Runs meldevakt-collector as people do: a process, its exit status, what it printed.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/collector/app/folder.h"

namespace meldevakt::collector::testing {

struct Ran {
  int status = -1;
  std::string out;
  std::string err;
};

class Program {
 public:
  explicit Program(const Folder& folder) : folder_{folder} {}

  [[nodiscard]] pid_t start(std::vector<std::string> arguments, const std::string& tag) const {
    arguments.insert(arguments.begin(), MELDEVAKT_BIN_DIR "/meldevakt-collector");
    std::vector<char*> raw;
    for (std::string& argument : arguments) raw.push_back(argument.data());
    raw.push_back(nullptr);
    const std::string out = folder_ / (tag + ".out");
    const std::string err = folder_ / (tag + ".err");
    const pid_t child = ::fork();
    if (child == 0) {
      ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
      ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
      ::execv(raw[0], raw.data());
      ::_exit(127);
    }
    return child;
  }
  [[nodiscard]] Ran wait(pid_t child, const std::string& tag) const {
    int status = 0;
    ::waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
            folder_.read(tag + ".out"), folder_.read(tag + ".err")};
  }
  [[nodiscard]] Ran run(std::vector<std::string> arguments) const {
    return wait(start(std::move(arguments), "run"), "run");
  }

 private:
  const Folder& folder_;
};

}  // namespace meldevakt::collector::testing
