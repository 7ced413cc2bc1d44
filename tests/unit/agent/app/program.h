// Runs meldevakt-agent as people do: a process, its exit status, what it printed.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

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
  std::vector<char*> raw;
  for (std::string& argument : arguments) raw.push_back(argument.data());
  raw.push_back(nullptr);
  const std::string out = folder / "program.out";
  const std::string err = folder / "program.err";
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
    ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
    ::execv(raw[0], raw.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          folder.read("program.out"), folder.read("program.err")};
}

}  // namespace meldevakt::agent::testing
