// Runs the operator's program for each finding: directly, without a shell, with the finding as one
// line of JSON on its standard input. Nothing of a finding ever stands in its arguments.
//
// One at a time, 10 s each, then it is killed with its process group; at most 100 wait, what comes
// beyond is named in our log and dropped (the finding itself is kept in the state all the same).
//
// Thread-safety: none. Never blocks: poll() looks and goes on.
#pragma once

#include <deque>
#include <string>
#include <utility>

#include "agent/app/log.h"
#include "agent/state/state_rows.h"
#include "common/base/time.h"
#include "common/platform/fed_program.h"

namespace meldevakt::agent {

inline constexpr std::size_t kFindingsWaitingMax = 100;
inline constexpr Duration kFindingTimeLimit = seconds(10);

[[nodiscard]] std::string finding_json(const FindingRow& found);

class FindingCommand {
 public:
  FindingCommand(std::string program, Log& log)
      : program_{std::move(program), kFindingTimeLimit}, log_{log} {}

  void add(const FindingRow& found);
  // Ends what is over its time, starts what waits. `steady`: any clock that never steps.
  void poll(Duration steady);
  [[nodiscard]] bool busy() const { return program_.running() || !waiting_.empty(); }

 private:
  FedProgram program_;
  Log& log_;
  std::deque<std::string> waiting_;
};

}  // namespace meldevakt::agent
