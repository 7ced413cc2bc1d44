#include "tests/sim/memory_source.h"

#include <utility>

namespace meldevakt::sim {

SimLog::SimLog(std::string name, std::vector<LogEntry> entries, unsigned nodes)
    : name_{std::move(name)}, entries_{std::move(entries)}, nodes_(nodes) {
  rotate();
  if (!entries_.empty()) rotate_at_ = entries_.front().time + kRotateEvery;
}

void SimLog::rotate() {
  for (std::size_t node = 0; node < nodes_.size(); ++node) {
    std::deque<File>& files = nodes_[node];
    if (!files.empty()) files.back().closed = true;
    files.push_back(
        {log_of(node) + "." + std::to_string(files_made_), {}, false, false, false, 0, 0});
  }
  ++files_made_;
}

void SimLog::write_until(Instant now) {
  while (next_ < entries_.size() && entries_[next_].time <= now) {
    LogEntry& entry = entries_[next_++];
    if (rotate_at_ <= entry.time) {
      rotate();
      rotate_at_ = entry.time + kRotateEvery;
    }
    nodes_[entry.node].back().text += entry.text;
    entry.text = {};
  }
}

void SimLog::destroy() {
  rotate();
  for (std::deque<File>& files : nodes_) {
    for (File& file : files) file.lost = file.closed;
  }
}

MemorySource::MemorySource(SimLog& log) : log_{log} {
  for (std::deque<SimLog::File>& files : log_.nodes_) {
    for (SimLog::File& file : files) {
      file.begun = false;
      file.read = file.kept;
    }
  }
}

agent::SourceTurn MemorySource::poll(agent::FileSink& sink, Instant now, std::size_t) {
  agent::SourceTurn turn;
  if (!log_.readable_) {
    turn.state = ReadState::kGap;
    turn.reason = "permission";
    return turn;
  }
  if (log_.nodes_.size() > 1) tell_unread(sink, now);
  for (std::size_t node = 0; node < log_.nodes_.size(); ++node) read_node(node, sink, turn);
  turn.caught_up = true;
  turn.state = ReadState::kRead;
  return turn;
}

// As a reader of several logs does: of each, which files have bytes that were not handed on.
void MemorySource::tell_unread(agent::FileSink& sink, Instant now) const {
  agent::UnreadFiles unread;
  unread.several_logs = true;
  unread.looked = now;
  for (std::size_t node = 0; node < log_.nodes_.size(); ++node) {
    for (const SimLog::File& file : log_.nodes_[node]) {
      if (file.is_unread()) unread.files.push_back({file.key, log_.log_of(node)});
    }
  }
  sink.unread(unread);
}

void MemorySource::read_node(std::size_t node, agent::FileSink& sink, agent::SourceTurn& turn) {
  std::deque<SimLog::File>& files = log_.nodes_[node];
  while (true) {
    SimLog::File& file = files.front();
    if (!std::exchange(file.begun, true)) {
      if (log_.nodes_.size() > 1) sink.name_file(file.key, file.key, log_.log_of(node));
      sink.begin_file(file.key, file.read);
    }
    if (file.is_unread()) {
      sink.feed(file.key, std::string_view{file.text}.substr(file.read));
      turn.bytes += file.text.size() - file.read;
      file.read = file.text.size();
    }
    if (!file.closed) break;
    sink.end_file(file.key, file.lost ? agent::FileEnd::kLost : agent::FileEnd::kComplete);
    files.pop_front();
  }
}

agent::FileChanges MemorySource::changes(
    const std::function<std::uint64_t(const std::string& key)>& low_water) {
  for (std::deque<SimLog::File>& files : log_.nodes_) {
    for (SimLog::File& file : files) {
      if (file.begun) file.kept = low_water(file.key);
    }
  }
  return {};
}

}  // namespace meldevakt::sim
