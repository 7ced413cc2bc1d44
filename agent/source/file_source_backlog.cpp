// How far behind reading is, and what is known of the rotation that could overtake it.
#include <algorithm>
#include <optional>
#include <utility>

#include "agent/source/file_source_state.h"
#include "agent/source/names.h"

namespace meldevakt::agent {

void FileSource::State::measure_backlog(Turn& turn) const {
  const Entry* oldest = nullptr;  // that has something unread
  for (const auto& entry : entries) {
    if (entry->file.state != FileState::kReading || !entry->shadow_of.empty()) continue;
    const std::uint64_t read = entry->read_offset + entry->padding;
    if (entry->size <= read) continue;
    turn.unread += entry->size - read;
    if (oldest == nullptr || entry->modified_ns < oldest->modified_ns) {
      oldest = entry.get();
      turn.rotation.unread_oldest = entry->size - read;
    }
  }
  turn.rotation.deleted = deleted;
  if (oldest == nullptr) return;
  std::int64_t first_ns = oldest->modified_ns;
  std::int64_t last_ns = oldest->modified_ns;
  std::int64_t files = 0;
  for (const auto& entry : entries) {
    if (!entry->seen || !entry->shadow_of.empty() || entry->modified_ns <= 0) continue;
    if (entry->modified_ns < oldest->modified_ns) ++turn.rotation.older_files;
    first_ns = std::min(first_ns, entry->modified_ns);
    last_ns = std::max(last_ns, entry->modified_ns);
    ++files;
  }
  // The newest is not rotated yet: with three files there is one whole time between rotations.
  if (files >= 3)
    turn.rotation.rotated_every = Duration{(last_ns - first_ns) / (files - 1) / 1'000'000};
}

const std::string& FileSource::State::log_of(Entry& entry) {
  if (entry.log.empty()) {
    entry.log = log_of_path(entry.file.path,
                            [](const std::string& path) { return stat_path(path).has_value(); });
  }
  return entry.log;
}

// Files that follow each other in one log are read in order; those of several are written at a
// time, and what is read of one says nothing of the others.
void FileSource::State::tell_unread(FileSink& sink, bool refused) {
  UnreadFiles out;
  out.refused = refused;
  out.looked = all_looked_at;
  const std::string* first = nullptr;
  for (const auto& entry : entries) {
    if (entry->file.state != FileState::kReading || !entry->shadow_of.empty()) continue;
    const std::string& log = log_of(*entry);
    out.several_logs = out.several_logs || (first != nullptr && *first != log);
    first = &log;
    if (!is_read_to_end(*entry)) out.files.push_back({entry->file.key, log});
  }
  if (out.several_logs && out.files.size() > kUnreadToldMax) {
    out.files.clear();  // nothing is concluded before there are fewer
    out.refused = true;
  }
  // Nothing new to say while all is quiet.
  const std::pair state{out.several_logs, out.refused};
  if (out.files.empty() && quiet_said == state) return;
  quiet_said = out.files.empty() ? std::optional{state} : std::nullopt;
  sink.unread(out);
}

}  // namespace meldevakt::agent
