// One run of an operator's program: directly, without a shell and without arguments, with one line
// on its standard input; its output goes nowhere, nothing else of ours is open in it. Past its time
// it is killed with its process group.
//
//   FedProgram program{"/usr/local/bin/alarm", seconds(10)};
//   MELDEVAKT_TRY(program.start(line, steady));          // line ends with a newline
//   while (program.running()) ... if (auto ended = program.poll(steady)) ended->words;
//
// Thread-safety: none. Never blocks, but for the destructor, which kills what still runs and waits
// for its end. `steady`: any clock that never steps. Bounds: a line of at most kFedBytesMax.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/base/time.h"

namespace meldevakt {

// What a pipe takes without a reader, on every system with pages of 4 KiB.
inline constexpr std::size_t kFedBytesMax = 65'536;

class FedProgram {
 public:
  FedProgram(std::string path, Duration time_limit)
      : path_{std::move(path)}, time_limit_{time_limit} {}
  ~FedProgram();
  FedProgram(const FedProgram&) = delete;
  FedProgram& operator=(const FedProgram&) = delete;

  // REQUIRES: !running(). kIo, kLimit: it does not run, and why.
  [[nodiscard]] Status start(std::string_view line, Duration steady);
  [[nodiscard]] bool running() const { return child_ > 0; }

  struct Ended {
    bool well = false;  // with status 0, in time
    std::string words;  // "the program ended with status 3"; "" when it went well
  };
  // Looks, and kills what is over its time. nullopt: nothing runs, or it runs still.
  [[nodiscard]] std::optional<Ended> poll(Duration steady);

 private:
  std::string path_;
  Duration time_limit_;
  pid_t child_ = -1;
  Duration started_;
  bool killed_ = false;
};

}  // namespace meldevakt
