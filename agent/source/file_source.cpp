// Reading. A turn first looks (file_source_look.cpp), then reads each file to its end, oldest
// first, and only after that decides that a rotated file is over: what its writer wrote before it
// turned to the new file is then certainly read.
#include "agent/source/file_source.h"

#include <algorithm>
#include <utility>

#include "agent/source/file_source_state.h"
#include "agent/source/names.h"
#include "common/ports/sha256.h"

namespace meldevakt::agent {

FileSource::FileSource(Settings settings, std::vector<KnownFile> known, bool read_before)
    : state_{std::make_unique<State>()} {
  state_->settings = std::move(settings);
  state_->read_before = read_before;
  for (KnownFile& file : known) {
    auto entry = std::make_unique<Entry>();
    entry->read_offset = file.offset;
    entry->file = std::move(file);
    state_->entries.add(std::move(entry));
  }
}
FileSource::~FileSource() = default;
FileSource::FileSource(FileSource&&) noexcept = default;
FileSource& FileSource::operator=(FileSource&&) noexcept = default;

FileSource::Turn FileSource::poll(FileSink& sink, Instant now, std::size_t bytes_max) {
  State& s = *state_;
  bool refused = !s.read_refusal.empty();
  s.read_refusal.clear();
  s.holds_by_reading.clear();
  s.handles = static_cast<std::size_t>(
      std::count_if(s.entries.begin(), s.entries.end(),
                    [](const auto& entry) { return entry->handle.is_open(); }));
  Turn turn;
  if (!s.look(sink, now)) {
    turn.put_off = true;
    turn.state = s.last_turn.state;
    turn.reason = s.last_turn.reason;
    turn.unread = s.last_turn.unread;
    turn.rotation = s.last_turn.rotation;
    return turn;
  }
  turn.looked_at_all = s.looked_at_all;
  s.again = false;
  s.followers.reset();
  const bool judge_all = s.is_judging_due(now);
  if (judge_all) s.judged = now;
  turn.caught_up = true;
  refused = refused || !s.look_refusal.empty();
  s.tell_unread(sink, refused);
  for (Entry* entry : s.reading_order(judge_all)) {
    if (turn.bytes >= bytes_max) {
      turn.caught_up = false;
      break;
    }
    const std::size_t left = bytes_max - turn.bytes;
    const std::size_t got = s.read(*entry, sink, now, left);
    turn.bytes += got;
    // Newer files are read all the same, but say nothing of what is behind the refusal.
    if (!s.read_refusal.empty() && !std::exchange(refused, true)) s.tell_unread(sink, refused);
    if (s.again || got >= left) {  // newer files wait until it is clear what became of this one
      turn.caught_up = false;
      break;
    }
    // A quiet file that was not looked at may have grown before its writer turned to the next.
    if (s.looked_at_all && s.is_over(*entry, now)) s.finish(*entry, sink, FileEnd::kComplete);
    s.park_idle(*entry);
  }
  s.entries.erase_if([](const Entry& entry) { return entry.gone; });

  // What does not hold any more may be said again when it comes back.
  std::erase_if(s.noted, [&](const std::string& text) {
    return !s.holds_by_look.contains(text) && !s.holds_by_reading.contains(text);
  });

  if (!s.look_refusal.empty() || !s.read_refusal.empty()) {
    turn.state = ReadState::kGap;
    turn.reason = s.read_refusal.empty() ? s.look_refusal : s.read_refusal;
  } else if (files() == 0) {
    turn.state = ReadState::kAbsent;
    turn.reason = "no_file";
  } else {
    turn.state = ReadState::kRead;
  }
  if (turn.looked_at_all) {
    s.measure_backlog(turn);
  } else {
    turn.unread = s.last_turn.unread - std::min<std::uint64_t>(s.last_turn.unread, turn.bytes);
    turn.rotation = s.last_turn.rotation;
  }
  s.last_turn = turn;
  return turn;
}

FileChanges FileSource::changes(
    const std::function<std::uint64_t(const std::string& key)>& low_water) {
  FileChanges out;
  for (const auto& entry : state_->entries) {
    KnownFile& file = entry->file;
    if (!entry->shadow_of.empty() || entry->gone) continue;
    if (file.state == FileState::kReading && entry->begun) {
      const std::uint64_t offset = low_water(file.key);
      if (offset != file.offset) {
        // The file may have been cut since it was read; then there is no tail to compare, and the
        // head alone tells at the next start.
        if (!state_->remember_position(*entry, offset)) {
          file.offset = offset;
          file.tail_bytes = 0;
        }
        entry->dirty = true;
      }
    }
    if (std::exchange(entry->dirty, false)) out.changed.push_back(file);
  }
  out.forgotten = std::exchange(state_->forgotten, {});
  return out;
}

std::vector<SourceNote> FileSource::take_notes() {
  return std::exchange(state_->notes, {});
}

std::size_t FileSource::files() const {
  return static_cast<std::size_t>(
      std::count_if(state_->entries.begin(), state_->entries.end(), [](const auto& entry) {
        return entry->file.state == FileState::kReading && entry->shadow_of.empty();
      }));
}

std::vector<Entry*> FileSource::State::reading_order(bool judge_all) {
  std::vector<Entry*> order;
  for (const auto& entry : entries) {
    if (entry->file.state != FileState::kReading || !entry->shadow_of.empty()) continue;
    if (judge_all || !is_read_to_end(*entry)) order.push_back(entry.get());
  }
  std::sort(order.begin(), order.end(), [](const Entry* a, const Entry* b) {
    if (a->modified_ns != b->modified_ns) return a->modified_ns < b->modified_ns;
    return older_by_name(a->file.path, b->file.path);
  });
  return order;
}

bool FileSource::State::ensure_open(Entry& entry) {
  if (entry.handle.is_open()) return true;
  auto opened = OpenFile::open(entry.file.path);
  if (!opened) {
    if (entry.seen) refuse(entry.file.path, opened.error());
    return false;
  }
  const auto stat = opened.value().stat();
  // Renamed between looking and opening: the next look finds it under its new name.
  if (!stat || stat.value().inode != entry.file.inode || stat.value().device != entry.file.device) {
    again = true;
    return false;
  }
  entry.handle = std::move(opened).value();
  entry.parked = false;
  ++handles;
  return true;
}

void FileSource::State::begin(Entry& entry, FileSink& sink) {
  if (entry.begun) return;
  sink.name_file(entry.file.key, entry.file.path, log_of(entry));
  sink.begin_file(entry.file.key, entry.read_offset);
  entry.begun = true;
  entry.dirty = true;
}

bool FileSource::State::changed_underneath(Entry& entry, std::uint64_t size) {
  if (is_compressed_name(entry.file.path)) return false;  // whole when it was opened
  if (size < entry.read_offset) return true;
  const auto head = entry.handle.hash(0, entry.file.head_bytes);
  if (entry.file.head_bytes > 0 && head && head.value() != entry.file.head) return true;
  std::string before(entry.overlap.size(), '\0');
  const auto got =
      entry.handle.read(entry.read_offset - before.size(), before.data(), before.size());
  return got && before != entry.overlap;
}

std::size_t FileSource::State::read(Entry& entry, FileSink& sink, Instant now,
                                    std::size_t bytes_max) {
  if (entry.gone || is_read_to_end(entry)) return 0;
  if (!ensure_open(entry)) return 0;
  const auto stat = entry.handle.stat();
  if (!stat) {
    refuse(entry.file.path, stat.error());
    return 0;
  }
  refresh(entry, stat.value(), now);
  if (entry.begun && changed_underneath(entry, entry.size)) {
    again = true;
    return 0;
  }
  const std::uint32_t head_before = entry.file.head_bytes;
  if (auto grown = grow_head(entry.handle, entry.size, entry.file); !grown) return 0;
  if (entry.file.head_bytes != head_before) entry.dirty = true;
  begin(entry, sink);
  return read_on(entry, sink, now, bytes_max);
}

std::size_t FileSource::State::read_on(Entry& entry, FileSink& sink, Instant now,
                                       std::size_t bytes_max) {
  std::size_t total = 0;
  while (total < bytes_max) {
    const std::size_t wanted = std::min(buffer.size(), bytes_max - total);
    const auto got = entry.handle.read(entry.read_offset, buffer.data(), wanted);
    if (!got) {
      refuse(entry.file.path, got.error());
      break;
    }
    entry.read_modified_ns = entry.modified_ns;
    if (got.value() == 0) break;
    std::string_view bytes{buffer.data(), got.value()};
    const bool to_end = bytes.size() < wanted;
    bytes = without_padding(entry, bytes, to_end);
    entry.padding = entry.size - std::min(entry.size, entry.read_offset + bytes.size());
    if (!to_end && !bytes.empty()) entry.padding = 0;
    if (bytes.empty()) break;
    sink.feed(entry.file.key, bytes);
    entry.read_offset += bytes.size();
    entry.overlap.append(bytes.substr(bytes.size() - std::min(bytes.size(), kOverlapBytes)));
    if (entry.overlap.size() > kOverlapBytes) {
      entry.overlap.erase(0, entry.overlap.size() - kOverlapBytes);
    }
    total += bytes.size();
    entry.grew = now;
    if (to_end) break;
  }
  entry.size = std::max(entry.size, entry.read_offset);
  return total;
}

// Some programs reserve room for a log in advance: the file ends in NUL bytes that are overwritten
// later. They are not read before something follows them.
std::string_view FileSource::State::without_padding(const Entry& entry, std::string_view bytes,
                                                    bool to_end) const {
  const std::size_t last = bytes.find_last_not_of('\0');
  std::size_t text = last == std::string_view::npos ? 0 : last + 1;
  if (bytes.size() - text < kPaddingBytesMin) return bytes;
  // All NUL, and the file goes on: a hole that its writer left behind, or room to the end?
  if (text == 0 && !to_end && !entry.handle.only_zeros_from(entry.read_offset)) return bytes;
  // The second half of UTF-16's last letter is no padding.
  const std::string_view before =
      bytes.substr(text > 16 ? text - 16 : 0, std::min<std::size_t>(text, 16));
  const bool odd = (entry.read_offset + text) % 2 == 1;
  if (odd && before.find('\0') != std::string_view::npos) ++text;
  return bytes.substr(0, text);
}

void FileSource::State::finish(Entry& entry, FileSink& sink, FileEnd end) {
  begin(entry, sink);
  if (end == FileEnd::kComplete && entry.file.cut) end = FileEnd::kCut;
  sink.end_file(entry.file.key, end);
  if (end == FileEnd::kLost) {
    forgotten.push_back(entry.file.key);
    entry.handle.close();
    entries.set_inode(entry, entry.file.device, 0);
    entry.file.state = FileState::kFinished;
    entry.gone = true;
    return;
  }
  const std::uint64_t end_offset = entry.read_offset + entry.padding;
  if (entry.handle.is_open() && !set_position(entry.handle, end_offset, entry.file)) {
    entry.file.offset = end_offset;
    entry.file.tail_bytes = 0;
  }
  entry.file.state = FileState::kFinished;
  entry.handle.close();
  entry.begun = false;
  entry.revived = false;
  entry.dirty = true;
}

// Too many open files: this one waits closed. Its position is completed first, for without the
// handle the tail cannot be computed from what was surely this file.
void FileSource::State::park_idle(Entry& entry) {
  if (handles <= settings.open_files_max || !entry.handle.is_open() || !entry.seen) return;
  if (!is_read_to_end(entry)) return;
  entry.handle.close();
  entry.parked = true;
  --handles;
}

bool FileSource::State::remember_position(Entry& entry, std::uint64_t offset) {
  if (entry.handle.is_open())
    return static_cast<bool>(set_position(entry.handle, offset, entry.file));
  const auto opened = OpenFile::open(entry.file.path);
  if (!opened) return false;
  const auto stat = opened.value().stat();
  if (!stat || stat.value().inode != entry.file.inode || stat.value().device != entry.file.device) {
    return false;
  }
  return static_cast<bool>(set_position(opened.value(), offset, entry.file));
}

std::string FileSource::State::make_key(const FileStat& stat, Instant now) {
  for (;;) {
    std::string input = settings.name;
    append_u64(input, stat.device);
    append_u64(input, stat.inode);
    append_u64(input, static_cast<std::uint64_t>(now.ms));
    append_u64(input, keys_made++);
    std::string key = sha256(input).hex().substr(0, 32);
    if (entries.by_key(key) == nullptr) return key;
  }
}

void FileSource::State::refuse(const std::string& path, const Error& error) {
  std::string& refusal = looking ? look_refusal : read_refusal;
  switch (error.code()) {
    case Errc::kNotFound: return;  // gone between looking and opening: the next look says
    case Errc::kRejected: refusal = "permission"; break;
    case Errc::kInvalid: refusal = "not_a_file"; break;
    case Errc::kExists:
    case Errc::kCorrupt:
    case Errc::kLimit:
    case Errc::kIo:
    case Errc::kUnavailable: refusal = "io_error"; break;
  }
  say_once(true, path + ": cannot be read: " + error.message() +
                     "; read again by itself when this is mended");
}

void FileSource::State::say_once(bool warning, const std::string& text) {
  (looking ? holds_by_look : holds_by_reading).insert(text);
  if (noted.insert(text).second) notes.push_back({warning, text});
}

}  // namespace meldevakt::agent
