// Archives: rotated logs that were compressed, mostly while the agent was not running. An archive
// is a file like others, whose content is what it holds: it goes on where a missing file was read
// to, is the same as a file that was read to its end, or is one that nobody has read.
//
// Archives that lie there when a source is looked at for the first time are not read (`scan` is for
// old logs). One that ends in the middle is still being written, or is damaged once it has not
// grown for a while.
#include <algorithm>
#include <string>
#include <utility>

#include "agent/source/file_source_state.h"
#include "agent/source/names.h"
#include "common/ports/sha256.h"

namespace meldevakt::agent {
namespace {

// An archive that ends in the middle and has had the same size for so long will not be finished.
constexpr Duration kUnfinishedMax = seconds(10);

}  // namespace

bool begins_like(const std::string& first, const KnownFile& file) {
  return file.head_bytes > 0 && first.size() >= file.head_bytes &&
         sha256(std::string_view{first}.substr(0, file.head_bytes)) == file.head;
}

void FileSource::State::look_at_archives(std::vector<Seen>& unknown, Instant now) {
  std::erase_if(unfinished, [&](const auto& archive) {
    return std::find(archive_paths.begin(), archive_paths.end(), archive.first) ==
           archive_paths.end();
  });
  std::vector<Seen> unknown_archives;
  for (const std::string& path : archive_paths) {
    const auto stat = stat_path(path);
    if (!stat || !stat.value().regular) continue;
    Seen seen{path, stat.value(), false, {}};
    Entry* entry = entries.by_inode(seen.stat.device, seen.stat.inode);
    if (entry != nullptr && is_compressed_name(entry->file.path)) {
      // Its size as an entry is that of its content.
      seen.stat.size = entry->file.state == FileState::kReading ? entry->size : entry->file.offset;
    }
    match(seen, unknown_archives, now);
  }
  put_in_order(unknown_archives, unknown);
  for (Seen& seen : unknown_archives) {
    auto first = OpenFile::first_bytes(seen.path, kHeadBytesMax);
    if (first) seen.first = std::move(first).value();
    unknown.push_back(std::move(seen));
  }
}

// Some packers leave the time of packing: an archive is not newer than what is newer by its name.
void FileSource::State::put_in_order(std::vector<Seen>& archives,
                                     const std::vector<Seen>& plain) const {
  for (Seen& seen : archives) {
    const auto not_after = [&](const std::string& path, std::int64_t modified_ns) {
      if (modified_ns > 0 && modified_ns <= seen.stat.modified_ns &&
          folder_of(path) == folder_of(seen.path) && older_by_name(seen.path, path)) {
        seen.stat.modified_ns = modified_ns - 1;
      }
    };
    for (const Seen& other : plain) not_after(other.path, other.stat.modified_ns);
    for (const auto& entry : entries) {
      if (entry->seen) not_after(entry->file.path, entry->modified_ns);
    }
  }
  std::sort(archives.begin(), archives.end(), [](const Seen& a, const Seen& b) {
    return a.stat.modified_ns != b.stat.modified_ns ? a.stat.modified_ns < b.stat.modified_ns
                                                    : older_by_name(a.path, b.path);
  });
}

bool FileSource::State::is_same_archive(Entry& entry, const Seen& seen) {
  if (!is_compressed_name(entry.file.path)) return false;
  if (entry.handle.is_open()) return true;
  if (entry.verified && seen.stat.modified_ns == entry.modified_ns) return true;
  if (entry.file.state == FileState::kReading) {
    auto opened = OpenFile::open(seen.path);
    if (!opened || same_content(opened.value(), entry.file) != SameContent::kYes) return false;
    const auto stat = opened.value().stat();
    if (stat) entry.size = stat.value().size;
    entry.handle = std::move(opened).value();
    ++handles;
  } else {
    const auto first = OpenFile::first_bytes(seen.path, kHeadBytesMax);
    if (first && !begins_like(first.value(), entry.file)) return false;
  }
  entry.verified = true;
  return true;
}

// Whether the archive may hold what was to be read of `entry`.
bool FileSource::State::continues_in(const Entry& entry, const Seen& archive) const {
  return begins_like(archive.first, entry.file);
}

bool FileSource::State::wait_for(const Seen& seen, Instant now) {
  Unfinished& it = unfinished.try_emplace(seen.path, Unfinished{seen.stat.size, now}).first->second;
  if (it.size != seen.stat.size) it = {seen.stat.size, now};
  return now - it.since < kUnfinishedMax;
}

bool FileSource::State::add_archive(const Seen& seen, FileSink& sink, Instant now) {
  if (first_look && !read_before) {
    add_known_archive(seen, FileState::kIgnored, now);
    return true;
  }
  auto opened = OpenFile::open(seen.path);
  if (!opened) {
    const Errc code = opened.error().code();
    if (code == Errc::kNotFound) return false;
    if (code == Errc::kRejected || code == Errc::kIo) {
      refuse(seen.path, opened.error());
      return true;
    }
    if (code == Errc::kUnavailable && wait_for(seen, now)) return true;
    unfinished.erase(seen.path);
    const bool known = std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
      return begins_like(seen.first, entry->file);
    });
    if (!known) {
      say_once(true, seen.path + ": cannot be unpacked: " + opened.error().message() +
                         "; what it holds was not read");
    }
    add_known_archive(seen, FileState::kFinished, now);
    if (!known) {  // nobody knows what was in it: the account says that something is missing
      const std::string key = make_key(seen.stat, now);
      sink.begin_file(key, 0);
      sink.end_file(key, FileEnd::kLost);
    }
    return true;
  }
  unfinished.erase(seen.path);
  const auto stat = opened.value().stat();
  if (!stat) return false;
  if (Entry* same = finished_as(seen, opened.value()); same != nullptr) {
    if (same->seen) {
      add_known_archive(seen, FileState::kFinished, now);
      return true;
    }
    entries.set_inode(*same, seen.stat.device, seen.stat.inode);
    same->was_path = std::exchange(same->file.path, seen.path);
    same->modified_ns = seen.stat.modified_ns;
    same->verified = true;
    same->seen = true;
    same->dirty = true;
    return true;
  }
  FileStat ordered = stat.value();
  ordered.modified_ns = seen.stat.modified_ns;
  return take_up(seen, std::move(opened).value(), ordered, now);
}

// The file, read to its end, that this archive was made of.
Entry* FileSource::State::finished_as(const Seen& seen, const OpenFile& opened) const {
  const auto stat = opened.stat();
  if (!stat) return nullptr;
  Entry* out = nullptr;
  for (const auto& entry : entries) {
    if (entry->file.state == FileState::kReading || !begins_like(seen.first, entry->file)) continue;
    if (entry->file.state == FileState::kFinished && stat.value().size != entry->file.offset) {
      continue;
    }
    if (same_content(opened, entry->file) != SameContent::kYes) continue;
    if (out == nullptr || out->seen) out = entry.get();
  }
  return out;
}

// Remembered by its inode and first bytes, and not read.
void FileSource::State::add_known_archive(const Seen& seen, FileState state, Instant now) {
  auto entry = std::make_unique<Entry>();
  entry->file.device = seen.stat.device;
  entry->file.inode = seen.stat.inode;
  entry->file.path = seen.path;
  entry->file.key = make_key(seen.stat, now);
  entry->file.head_bytes = static_cast<std::uint32_t>(seen.first.size());
  if (!seen.first.empty()) entry->file.head = sha256(seen.first);
  entry->file.state = state;
  entry->modified_ns = seen.stat.modified_ns;
  entry->seen = true;
  entry->verified = true;
  entry->dirty = true;
  entries.add(std::move(entry));
}

}  // namespace meldevakt::agent
