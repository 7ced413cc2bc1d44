// Runs the operator's program for each finding: directly, without a shell, with the finding as one
// line of JSON on its standard input. Nothing of a finding ever stands in its arguments.
//
//   command.add(found);              // each once; nothing is forgotten, see below
//   command.poll(steady);
//   for (const std::string& id : command.take_given()) ...   // commit that the program has had it
//   if (command.wants_more()) for (... : state.ungiven(kFindingsWaitingMax)) command.add(...)
//
// One at a time, 10 s each, then it is killed with its process group. The program has had a finding
// when it has ended, well or not; who is killed before that is committed gives it once more, with
// the same id. At most 100 wait in memory: the others wait in the state, and so do all while the
// program cannot be started, which is tried again every 30 s.
//
// Thread-safety: none. Never blocks, but for end(): poll() looks and goes on.
#pragma once

#include <deque>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/app/log.h"
#include "agent/state/state_rows.h"
#include "common/base/time.h"
#include "common/platform/fed_program.h"

namespace meldevakt::agent {

inline constexpr std::size_t kFindingsWaitingMax = 100;
inline constexpr Duration kFindingTimeLimit = seconds(10);
inline constexpr Duration kFindingRetryEvery = seconds(30);

[[nodiscard]] std::string finding_json(const FindingRow& found);

class FindingCommand {
 public:
  FindingCommand(std::string program, Log& log)
      : program_{std::move(program), kFindingTimeLimit}, log_{log} {}

  // What was added before is not added again.
  void add(const FindingRow& found);
  // Ends what is over its time, starts what waits. `steady`: any clock that never steps.
  void poll(Duration steady);
  // Starts nothing more, and waits until what runs has ended, at most so long.
  void end(const std::function<Duration()>& steady, Duration patience);

  [[nodiscard]] std::vector<std::string> take_given() { return std::exchange(given_, {}); }
  [[nodiscard]] bool busy() const { return program_.running() || !waiting_.empty(); }
  // There was no room for some, and now there is.
  [[nodiscard]] bool wants_more() const { return more_ && !busy() && given_.empty(); }
  void takes_more() { more_ = false; }

 private:
  struct Waiting {
    std::string id;
    std::string line;
  };
  void look(Duration steady);

  FedProgram program_;
  Log& log_;
  std::deque<Waiting> waiting_;
  std::string running_;          // the id that the program was given
  std::set<std::string> known_;  // waiting, running or had
  std::vector<std::string> given_;
  bool more_ = false;
  Duration retry_at_;
  std::string said_;  // why it cannot be started
};

}  // namespace meldevakt::agent
