#include "tests/sim/memory_source.h"

#include <utility>

namespace meldevakt::sim {

SimLog::SimLog(std::string name, std::vector<LogEntry> entries)
    : name_{std::move(name)}, entries_{std::move(entries)} {
  rotate();
  if (!entries_.empty()) rotate_at_ = entries_.front().time + kRotateEvery;
}

void SimLog::rotate() {
  if (!files_.empty()) files_.back().closed = true;
  files_.push_back({name_ + std::to_string(files_made_++), {}, false, false, false, 0, 0});
}

void SimLog::write_until(Instant now) {
  while (next_ < entries_.size() && entries_[next_].time <= now) {
    LogEntry& entry = entries_[next_++];
    if (rotate_at_ <= entry.time) {
      rotate();
      rotate_at_ = entry.time + kRotateEvery;
    }
    files_.back().text += entry.text;
    entry.text = {};
  }
}

void SimLog::destroy() {
  rotate();
  for (File& file : files_) file.lost = file.closed;
}

MemorySource::MemorySource(SimLog& log) : log_{log} {
  for (SimLog::File& file : log_.files_) {
    file.begun = false;
    file.read = file.kept;
  }
}

agent::SourceTurn MemorySource::poll(agent::FileSink& sink, Instant, std::size_t) {
  agent::SourceTurn turn;
  if (!log_.readable_) {
    turn.state = ReadState::kGap;
    turn.reason = "permission";
    return turn;
  }
  while (true) {
    SimLog::File& file = log_.files_.front();
    if (!std::exchange(file.begun, true)) sink.begin_file(file.key, file.read);
    if (!file.lost && file.read < file.text.size()) {
      sink.feed(file.key, std::string_view{file.text}.substr(file.read));
      turn.bytes += file.text.size() - file.read;
      file.read = file.text.size();
    }
    if (!file.closed) break;
    sink.end_file(file.key, file.lost ? agent::FileEnd::kLost : agent::FileEnd::kComplete);
    log_.files_.pop_front();
  }
  turn.caught_up = true;
  turn.state = ReadState::kRead;
  return turn;
}

agent::FileChanges MemorySource::changes(
    const std::function<std::uint64_t(const std::string& key)>& low_water) {
  for (SimLog::File& file : log_.files_) {
    if (file.begun) file.kept = low_water(file.key);
  }
  return {};
}

}  // namespace meldevakt::sim
