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
    state_->entries.push_back(std::move(entry));
  }
}
FileSource::~FileSource() = default;
FileSource::FileSource(FileSource&&) noexcept = default;
FileSource& FileSource::operator=(FileSource&&) noexcept = default;

FileSource::Turn FileSource::poll(FileSink& sink, Instant now, std::size_t bytes_max) {
  State& s = *state_;
  s.read_refusal.clear();
  s.holds_by_reading.clear();
  Turn turn;
  if (!s.look(sink, now)) {
    turn.put_off = true;
    turn.state = s.last_turn.state;
    turn.reason = s.last_turn.reason;
    return turn;
  }
  s.again = false;
  turn.caught_up = true;
  for (Entry* entry : s.reading_order()) {
    if (turn.bytes >= bytes_max) {
      turn.caught_up = false;
      break;
    }
    const std::size_t left = bytes_max - turn.bytes;
    const std::size_t got = s.read(*entry, sink, now, left);
    turn.bytes += got;
    if (s.again || got >= left) {  // newer files wait until it is clear what became of this one
      turn.caught_up = false;
      break;
    }
    if (s.is_over(*entry, now)) s.finish(*entry, sink, FileEnd::kComplete);
  }
  std::erase_if(s.entries, [](const auto& entry) { return entry->gone; });
  s.close_idle_handles();

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
        if (!entry->handle.is_open() || !set_position(entry->handle, offset, file)) {
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

std::vector<Entry*> FileSource::State::reading_order() {
  std::vector<Entry*> order;
  for (const auto& entry : entries) {
    if (entry->file.state == FileState::kReading && entry->shadow_of.empty()) {
      order.push_back(entry.get());
    }
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
  return true;
}

void FileSource::State::begin(Entry& entry, FileSink& sink) {
  if (entry.begun) return;
  sink.begin_file(entry.file.key, entry.read_offset);
  entry.begun = true;
  entry.dirty = true;
}

bool FileSource::State::changed_underneath(Entry& entry, std::uint64_t size) {
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
  if (entry.gone || (entry.begun && entry.handle.is_open() && entry.size == entry.read_offset &&
                     entry.modified_ns == entry.read_modified_ns)) {
    return 0;
  }
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
    const auto got = entry.handle.read(entry.read_offset, buffer.data(), buffer.size());
    if (!got) {
      refuse(entry.file.path, got.error());
      break;
    }
    entry.read_modified_ns = entry.modified_ns;
    if (got.value() == 0) break;
    const std::string_view bytes{buffer.data(), got.value()};
    sink.feed(entry.file.key, bytes);
    entry.read_offset += bytes.size();
    entry.overlap.append(bytes.substr(bytes.size() - std::min(bytes.size(), kOverlapBytes)));
    if (entry.overlap.size() > kOverlapBytes) {
      entry.overlap.erase(0, entry.overlap.size() - kOverlapBytes);
    }
    total += bytes.size();
    entry.grew = now;
    if (bytes.size() < buffer.size()) break;
  }
  entry.size = std::max(entry.size, entry.read_offset);
  return total;
}

bool FileSource::State::is_over(const Entry& entry, Instant now) const {
  if (entry.gone || !entry.begun || entry.size != entry.read_offset) return false;
  const bool quiet = now - entry.grew >= kQuiet;
  if (entry.links == 0 && quiet) return true;
  if (entry.revived && !quiet) return false;
  const auto mask = dated_name_mask(entry.file.path);
  for (const auto& other : entries) {
    if (other.get() == &entry || other->file.state != FileState::kReading || other->size == 0 ||
        !other->shadow_of.empty() || other->modified_ns < entry.modified_ns) {
      continue;
    }
    if (!entry.seen) return true;
    const bool same_folder = folder_of(other->file.path) == folder_of(entry.file.path);
    if (same_folder && is_rotated_sibling(name_of(entry.file.path), name_of(other->file.path))) {
      return true;
    }
    if (!entry.was_path.empty() && other->file.path == entry.was_path) return true;
    if (mask && dated_name_mask(other->file.path) == mask &&
        older_by_name(entry.file.path, other->file.path)) {
      return true;
    }
    if (now.ms - entry.modified_ns / 1'000'000 >= kRetireAfter.ms) return true;
  }
  return false;
}

void FileSource::State::finish(Entry& entry, FileSink& sink, FileEnd end) {
  begin(entry, sink);
  sink.end_file(entry.file.key, end);
  if (end == FileEnd::kLost) {
    forgotten.push_back(entry.file.key);
    entry.handle.close();
    entry.file.inode = 0;
    entry.file.state = FileState::kFinished;
    entry.gone = true;
    return;
  }
  if (entry.handle.is_open() && !set_position(entry.handle, entry.read_offset, entry.file)) {
    entry.file.offset = entry.read_offset;
    entry.file.tail_bytes = 0;
  }
  entry.file.state = FileState::kFinished;
  entry.handle.close();
  entry.begun = false;
  entry.revived = false;
  entry.dirty = true;
}

void FileSource::State::close_idle_handles() {
  std::vector<Entry*> open;
  for (const auto& entry : entries) {
    if (entry->handle.is_open() && entry->shadow_of.empty()) open.push_back(entry.get());
  }
  if (open.size() <= kOpenFilesMax) return;
  std::sort(open.begin(), open.end(),
            [](const Entry* a, const Entry* b) { return a->modified_ns < b->modified_ns; });
  for (std::size_t i = 0; i + kOpenFilesMax < open.size(); ++i) {
    // Its position must be complete first: without the handle the tail cannot be computed later.
    if (open[i]->size == open[i]->read_offset && open[i]->seen) open[i]->handle.close();
  }
}

Entry* FileSource::State::by_inode(std::uint64_t device, std::uint64_t inode) {
  for (const auto& entry : entries) {
    if (entry->file.inode == inode && entry->file.device == device) return entry.get();
  }
  return nullptr;
}

Entry* FileSource::State::by_key(const std::string& key) {
  for (const auto& entry : entries) {
    if (entry->file.key == key) return entry.get();
  }
  return nullptr;
}

std::string FileSource::State::make_key(const FileStat& stat, Instant now) {
  for (;;) {
    std::string input = settings.name;
    append_u64(input, stat.device);
    append_u64(input, stat.inode);
    append_u64(input, static_cast<std::uint64_t>(now.ms));
    append_u64(input, keys_made++);
    std::string key = sha256(input).hex().substr(0, 32);
    if (by_key(key) == nullptr) return key;
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
