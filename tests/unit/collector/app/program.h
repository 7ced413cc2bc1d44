// Runs meldevakt-collector as people do: a process, its exit status, what it printed.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/support/child_program.h"
#include "tests/unit/collector/app/folder.h"

namespace meldevakt::collector::testing {

// A collector that listens where it can, on loopback.
inline constexpr const char* kLoopbackConfig =
    "data = \"data\"\nnames = [\"127.0.0.1\"]\n"
    "[agents]\nlisten = \"127.0.0.1:0\"\n"
    "[people]\nlisten = \"127.0.0.1:0\"\n";

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
    return meldevakt::testing::start_child(std::move(arguments), folder_ / (tag + ".out"),
                                           folder_ / (tag + ".err"));
  }
  [[nodiscard]] Ran wait(pid_t child, const std::string& tag) const {
    const int status = meldevakt::testing::wait_for_end(child);
    return {status, folder_.read(tag + ".out"), folder_.read(tag + ".err")};
  }
  [[nodiscard]] Ran run(std::vector<std::string> arguments) const {
    return wait(start(std::move(arguments), "run"), "run");
  }

 private:
  const Folder& folder_;
};

}  // namespace meldevakt::collector::testing
