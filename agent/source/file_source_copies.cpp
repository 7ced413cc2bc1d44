// Copies. Copying a log and truncating it leaves what was read under another inode; a copy is known
// by its content, takes over the original's key and position, and until it is clear whose story it
// goes on with it is a shadow that is not read.
#include <algorithm>
#include <utility>

#include "agent/source/file_source_state.h"
#include "agent/source/names.h"

namespace meldevakt::agent {
namespace {

bool is_same_file(const KnownFile& file, const FileStat& stat) {
  return file.device == stat.device && file.inode == stat.inode;
}

}  // namespace

// Before anything new is taken up: a copy must be recognised as one while it is still new.
void FileSource::State::find_replaced(std::vector<Seen>& unknown, FileSink& sink, Instant now) {
  std::vector<Entry*> changed;
  for (const auto& entry : entries) {
    if (entry->begun && entry->handle.is_open() && entry->shadow_of.empty() &&
        entry->modified_ns != entry->read_modified_ns && changed_underneath(*entry, entry->size)) {
      changed.push_back(entry.get());
    }
  }
  for (Entry* entry : changed) replaced(*entry, unknown, sink, now);
}

// The file's inode now holds other content. What we had read of it may live on in a copy; if not,
// what its writer wrote after our last read is unknowable. The inode's new content joins `unknown`.
void FileSource::State::replaced(Entry& entry, std::vector<Seen>& unknown, FileSink& sink,
                                 Instant now) {
  Seen here;
  here.path = entry.file.path;
  here.in_glob = entry.in_glob;
  if (const auto stat = entry.handle.stat()) here.stat = stat.value();
  for (const auto& other : entries) {
    if (other->shadow_of != entry.file.key || !other->handle.is_open()) continue;
    if (const auto stat = other->handle.stat()) {
      if (stat.value().size < entry.read_offset && finish_shadow(*other)) continue;
      unknown.push_back({other->file.path, stat.value(), other->in_glob, {}});
    }
  }
  entry.handle.close();
  entry.other_content = true;
  if (adopt_copy(entry, unknown, now)) {
    say_once(false, entry.file.path + ": the file was copied and truncated; its copy is read on");
  } else {
    say_once(true, here.path + ": truncated or replaced in place; what was unread of it is lost");
    finish(entry, sink, FileEnd::kLost);
  }
  unknown.push_back(here);
}

// A file that begins with all that was read of `entry` is its copy. Only sure once the whole head
// and a position behind it can be compared.
bool FileSource::State::adopt_copy(Entry& entry, std::vector<Seen>& unknown, Instant now) {
  const bool sure = entry.file.head_bytes >= kHeadBytesMax && entry.read_offset >= kHeadBytesMax;
  for (auto it = unknown.begin(); it != unknown.end(); ++it) {
    if (is_compressed_name(it->path)) {
      if (!continues_in(entry, *it)) continue;
    } else if (!sure || it->stat.size < entry.read_offset) {
      continue;
    }
    auto opened = OpenFile::open(it->path);
    if (!opened && opened.error().code() == Errc::kUnavailable && wait_for(*it, now)) {
      archive_awaited = true;
    }
    if (!opened || same_content(opened.value(), entry.file) != SameContent::kYes) continue;
    std::string before(entry.overlap.size(), '\0');
    const auto got =
        opened.value().read(entry.read_offset - before.size(), before.data(), before.size());
    if (!got || before != entry.overlap) continue;
    for (const auto& other : entries) {  // its own entry, kept as a shadow until now
      if (other.get() == &entry || !is_same_file(other->file, it->stat)) continue;
      other->gone = true;
      entries.set_inode(*other, other->file.device, 0);
      other->handle.close();
    }
    entries.set_inode(entry, it->stat.device, it->stat.inode);
    entry.was_path = std::exchange(entry.file.path, it->path);
    entry.handle = std::move(opened).value();
    const auto stat = entry.handle.stat();
    entry.size = stat ? stat.value().size : it->stat.size;
    entry.modified_ns = it->stat.modified_ns;
    entry.links = it->stat.links;
    entry.verified = true;
    entry.seen = true;
    entry.dirty = true;
    entry.file.cut = entry.file.cut || entry.other_content;
    unknown.erase(it);
    return true;
  }
  return false;
}

// Whether the file is, as far as it goes, the same as one that is being read: a copy being made.
std::string FileSource::State::copy_of(const OpenFile& file, const FileStat& stat,
                                       bool is_archive) const {
  // A few bytes are alike in many logs; an archive of them is a copy all the same, for it does not
  // grow to be anything else.
  const std::uint64_t enough = is_archive ? 0 : kHeadBytesMax;
  if (stat.size <= enough) return {};
  for (const auto& other : entries) {
    if (other->file.state != FileState::kReading || !other->handle.is_open() ||
        !other->shadow_of.empty() || is_same_file(other->file, stat)) {
      continue;
    }
    const auto theirs = other->handle.stat();
    if (!theirs) continue;
    const std::uint64_t common = std::min(stat.size, theirs.value().size);
    if (common <= enough) continue;
    const auto same = [&](std::uint64_t from, std::uint64_t bytes) {
      const auto mine = file.hash(from, static_cast<std::uint32_t>(bytes));
      const auto their = other->handle.hash(from, static_cast<std::uint32_t>(bytes));
      return mine && their && mine.value() == their.value();
    };
    const std::uint64_t head = std::min<std::uint64_t>(common, kHeadBytesMax);
    const std::uint64_t tail = std::min<std::uint64_t>(common, kTailBytesMax);
    if (same(0, head) && same(common - tail, tail)) return other->file.key;
  }
  return {};
}

// All that the copy holds was read of its original.
bool FileSource::State::finish_shadow(Entry& entry) {
  const auto stat = entry.handle.stat();
  if (!stat || !set_position(entry.handle, stat.value().size, entry.file)) return false;
  entry.file.state = FileState::kFinished;
  entry.shadow_of.clear();
  entry.handle.close();
  entry.dirty = true;
  return true;
}

// A copy that went its own way, or whose original is over, is a file of its own.
void FileSource::State::revisit_shadows(Instant now) {
  for (const auto& entry : entries) {
    if (entry->shadow_of.empty() || !entry->handle.is_open()) continue;
    const Entry* original = entries.by_key(entry->shadow_of);
    const auto stat = entry->handle.stat();
    if (!stat) continue;
    if (original != nullptr && original->file.state == FileState::kFinished) {
      static_cast<void>(finish_shadow(*entry));  // if not now, then at the next look
      continue;
    }
    entry->shadow_of = copy_of(entry->handle, stat.value(), is_compressed_name(entry->file.path));
    if (entry->shadow_of.empty()) {
      refresh(*entry, stat.value(), now);
      entry->dirty = true;
    }
  }
}

}  // namespace meldevakt::agent
