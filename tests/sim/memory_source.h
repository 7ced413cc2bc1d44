// Logs that exist in memory only, one for each node that writes, written as simulated time goes on
// and rotated once a week, and a reader of them, as of one glob, with the calls of agent/source.
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
    [[nodiscard]] bool is_unread() const { return !lost && read < text.size(); }
  };

  SimLog(std::string name, std::vector<LogEntry> entries, unsigned nodes = 1);

  void write_until(Instant now);
  // What lies there now is gone before anyone read it.
  void destroy();
  void set_readable(bool readable) { readable_ = readable; }

 private:
  friend class MemorySource;
  void rotate();
  [[nodiscard]] std::string log_of(std::size_t node) const { return name_ + std::to_string(node); }

  std::string name_;
  std::vector<LogEntry> entries_;
  std::size_t next_ = 0;
  Instant rotate_at_;
  std::uint64_t files_made_ = 0;
  std::vector<std::deque<File>> nodes_;  // of each: its files, the oldest first
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
  void tell_unread(agent::FileSink& sink, Instant now) const;
  void read_node(std::size_t node, agent::FileSink& sink, agent::SourceTurn& turn);

  SimLog& log_;
};

}  // namespace meldevakt::sim
