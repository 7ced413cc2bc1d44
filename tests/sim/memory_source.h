// A log that exists in memory only, written as simulated time goes on and rotated once a week, and
// a reader of it with the calls of agent/source.
//
//   SimLog log{"trace", entries};
//   log.write_until(now);
//   MemorySource source{log};             // as after a start of the agent: goes on where it was
//
// Thread-safety: none. Memory: files that were read to their end are dropped.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "agent/source/source_reader.h"
#include "tests/sim/history.h"

namespace meldevakt::sim {

class SimLog {
 public:
  static constexpr Duration kRotateEvery = days(7);

  struct File {
    std::string key;
    std::string text;
    bool closed = false;     // rotated away: it will not grow
    bool lost = false;       // deleted before it was read
    bool begun = false;      // the reader of this run knows it
    std::uint64_t read = 0;  // by the reader of this run
    std::uint64_t kept = 0;  // where a new run must start
  };

  SimLog(std::string name, std::vector<LogEntry> entries);

  void write_until(Instant now);
  // What lies there now is gone before anyone read it.
  void destroy();
  void set_readable(bool readable) { readable_ = readable; }

 private:
  friend class MemorySource;
  void rotate();

  std::string name_;
  std::vector<LogEntry> entries_;
  std::size_t next_ = 0;
  Instant rotate_at_;
  std::uint64_t files_made_ = 0;
  std::deque<File> files_;
  bool readable_ = true;
};

class MemorySource : public agent::SourceReader {
 public:
  explicit MemorySource(SimLog& log);

  [[nodiscard]] agent::SourceTurn poll(agent::FileSink& sink, Instant now,
                                       std::size_t bytes_max) override;
  [[nodiscard]] agent::FileChanges changes(
      const std::function<std::uint64_t(const std::string& key)>& low_water) override;
  [[nodiscard]] std::vector<agent::SourceNote> take_notes() override { return {}; }

 private:
  SimLog& log_;
};

}  // namespace meldevakt::sim
