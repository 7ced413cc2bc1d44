// Looking. Three questions, in this order: which names are there now (list, stat), which of them
// are files that are known (match, by inode and then by content), and what became of known files
// that no name led to (find_missing: under any name in its folder, as a copy, or gone).
#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>

#include "agent/source/file_source_state.h"
#include "agent/source/names.h"

namespace meldevakt::agent {
namespace {

// Two listings this near to a change of the folder may have missed the second of two changes in
// one tick of the file system's clock.
constexpr Duration kSettle = seconds(2);
// How often a look is tried again at once when names moved under it, and for how long it is then
// put off to the next poll.
constexpr int kLookAttempts = 4;
constexpr Duration kMovingMax = seconds(3);
bool is_same_file(const KnownFile& file, const FileStat& stat) {
  return file.device == stat.device && file.inode == stat.inode;
}

}  // namespace

bool FileSource::State::look(FileSink& sink, Instant now) {
  looked = listing_due(now);
  if (!looked) {
    look_at_open(now);
    return true;
  }
  looking = true;
  look_refusal.clear();
  holds_by_look.clear();
  const bool sure = look_again(sink, now);
  looking = false;
  if (sure) first_look = false;
  return sure;
}

// A rotation is many renames, and neither a listing nor a series of stats is one moment: a file can
// be missed although it is there. What is missing is called lost, and what is there is put in
// order, only by a look during which no name moved.
bool FileSource::State::look_again(FileSink& sink, Instant now) {
  std::vector<Seen> unknown;
  bool steady = false;
  for (int attempt = 0; attempt < kLookAttempts && !steady; ++attempt) {
    const std::vector<FolderName> before = names_now();
    list(now);
    unknown.clear();
    unknown_ids.clear();
    for (const auto& entry : entries) entry->seen = false;
    for (const Seen& seen : stat_all()) match(seen, unknown, now);
    look_at_archives(unknown, now);
    steady = before == names_now();
  }
  if (!steady && !rests_never(now)) return false;
  look_at_open(now);
  find_replaced(unknown, sink, now);
  if (list_problem.empty()) {
    if (!find_missing(unknown, sink, now)) return false;
  } else {
    refuse("folder", {Errc::kRejected, list_problem});
  }
  for (const Seen& seen : unknown) steady = add(seen, sink, now) && steady;
  revisit_shadows(now);
  if (!steady && !rests_never(now)) return false;
  if (list_problem.empty()) forget_unseen();
  if (steady) moving_since.reset();
  return true;
}

// A folder in which names move at every look (a shared temporary folder) is read all the same.
bool FileSource::State::rests_never(Instant now) {
  if (!moving_since) moving_since = now;
  return now - *moving_since >= kMovingMax;
}

std::vector<FolderName> FileSource::State::names_now() const {
  std::vector<FolderName> out;
  for (const std::string& folder : folders) {
    Listing listing = list_folder(folder);
    for (std::size_t i = 0; i < listing.names.size(); ++i) {
      out.push_back({folder, std::move(listing.names[i]), listing.inodes[i]});
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

bool FileSource::State::listing_due(Instant now) {
  if (first_look || again || folders.empty() || now - listed >= kListEvery || now < listed)
    return true;
  for (const std::string& folder : folders) {
    const auto stat = stat_path(folder);
    if (!stat) return true;
    const std::int64_t changed_ms = stat.value().modified_ns / 1'000'000;
    if (stat.value().modified_ns != folder_times[folder]) return true;
    if (now.ms - changed_ms < kSettle.ms) return true;
  }
  return std::any_of(entries.begin(), entries.end(), [](const auto& entry) {
    return entry->file.state == FileState::kReading && !entry->handle.is_open() && !entry->parked;
  });
}

void FileSource::State::list(Instant now) {
  Expansion found = expand(settings.globs);
  list_problem = found.problem;
  if (found.cut) {
    say_once(true, "a folder holds more than " + std::to_string(kFolderEntriesMax) +
                       " names; the rest is not looked at");
  }
  glob_paths = std::move(found.paths);
  folders = std::move(found.folders);
  sibling_paths.clear();
  archive_paths.clear();
  for (const std::string& path : glob_paths) {
    if (is_compressed_name(path)) archive_paths.push_back(path);
  }
  for (const std::string& folder : folders) {
    folder_times[folder] = 0;
    if (const auto stat = stat_path(folder)) folder_times[folder] = stat.value().modified_ns;
    const std::unordered_set<std::string> live = live_names(folder);
    for (const std::string& name : list_folder(folder).names) {
      const std::string path = joined(folder, name);
      if (std::binary_search(glob_paths.begin(), glob_paths.end(), path)) continue;
      const std::string_view plain = uncompressed_name(name);
      const std::vector<std::string> of = rotated_from(plain);
      const bool packed = plain.size() != name.size();  // also "app.log.gz" of "app.log"
      if ((packed && live.contains(std::string{plain})) ||
          std::any_of(of.begin(), of.end(),
                      [&](const std::string& candidate) { return live.contains(candidate); })) {
        (packed ? archive_paths : sibling_paths).push_back(path);
      }
    }
  }
  listed = now;
}

// What a rotated file may have been called.
std::unordered_set<std::string> FileSource::State::live_names(const std::string& folder) const {
  std::unordered_set<std::string> out;
  for (const std::string& path : glob_paths) {
    if (folder_of(path) == folder) out.emplace(name_of(path));
  }
  for (const std::string& glob : settings.globs) {  // the live file may be missing just now
    if (folder_of(glob) == folder && !has_wildcard(name_of(glob))) out.emplace(name_of(glob));
  }
  for (const auto& entry : entries) {
    if (entry->in_glob && folder_of(entry->file.path) == folder) {
      out.emplace(name_of(uncompressed_name(entry->file.path)));
    }
  }
  return out;
}

std::vector<Seen> FileSource::State::stat_all() {
  std::vector<Seen> out;
  const auto take = [&](const std::string& path, bool in_glob) {
    if (is_compressed_name(path)) return;
    const auto stat = stat_path(path);
    if (!stat) {
      if (in_glob) refuse(path, stat.error());
      return;
    }
    if (!stat.value().regular) {
      // A wildcard may well match folders; a name written out is meant to be a file.
      const bool meant =
          std::find(settings.globs.begin(), settings.globs.end(), path) != settings.globs.end();
      if (in_glob && (meant || !stat.value().directory)) {
        refuse(path, {Errc::kInvalid,
                      stat.value().directory ? "is a directory" : "is not a regular file"});
      }
      return;
    }
    out.push_back({path, stat.value(), in_glob, {}});
  };
  for (const std::string& path : glob_paths) take(path, true);
  for (const std::string& path : sibling_paths) take(path, false);
  return out;
}

void FileSource::State::match(const Seen& seen, std::vector<Seen>& unknown, Instant now) {
  Entry* entry = entries.by_inode(seen.stat.device, seen.stat.inode);
  if (entry == nullptr) {
    // A second name of the same file is not a second file.
    if (unknown_ids.insert({seen.stat.device, seen.stat.inode}).second) unknown.push_back(seen);
    return;
  }
  if (entry->seen) return;  // a second name of the same file
  if (!verify(*entry, seen)) {
    // Other content under a known inode. A file that was being read stays unseen, so that its
    // content is looked for elsewhere; one that was finished is forgotten.
    entries.set_inode(*entry, entry->file.device, 0);
    entry->other_content = true;
    if (entry->file.state != FileState::kReading) {
      forgotten.push_back(entry->file.key);
      entry->gone = true;
    }
    unknown.push_back(seen);
    return;
  }
  entry->seen = true;
  entry->in_glob = entry->in_glob || seen.in_glob;
  if (entry->file.path != seen.path) {
    entry->was_path = std::exchange(entry->file.path, seen.path);
    entry->dirty = true;
  }
  entry->missed = 0;
  refresh(*entry, seen.stat, now);
  const bool wanted_now = entry->file.state == FileState::kIgnored && seen.in_glob;
  const bool more =
      entry->file.state == FileState::kFinished && seen.stat.size > entry->file.offset;
  if (more) entry->revived = true;
  if (wanted_now || more) start_over(*entry, seen.stat, now);
}

// What the pipeline knew of the file is gone with its end, so it is read from the start under a new
// key; facts already told get the same ids again.
void FileSource::State::start_over(Entry& entry, const FileStat& stat, Instant now) {
  forgotten.push_back(entry.file.key);
  entries.set_key(entry, make_key(stat, now));
  entry.file.state = FileState::kReading;
  entry.file.offset = 0;
  entry.file.tail_bytes = 0;
  entry.read_offset = 0;
  entry.overlap.clear();
  entry.begun = false;
  entry.grew = now;
  entry.dirty = true;
}

bool FileSource::State::verify(Entry& entry, const Seen& seen) {
  if (is_compressed_name(seen.path)) return is_same_archive(entry, seen);
  // An open handle keeps its inode from being used again; reading notices changed content.
  if (entry.handle.is_open()) return true;
  if (entry.verified && seen.stat.size == entry.size &&
      seen.stat.modified_ns == entry.modified_ns) {
    return true;
  }
  auto opened = OpenFile::open(seen.path);
  if (!opened) {
    if (seen.in_glob || entry.file.state == FileState::kReading) refuse(seen.path, opened.error());
    return true;  // not readable now: nothing speaks against it
  }
  const auto stat = opened.value().stat();
  if (!stat || !is_same_file(entry.file, stat.value())) return true;
  switch (same_content(opened.value(), entry.file)) {
    case SameContent::kNo: return false;
    case SameContent::kUnreadable: return true;
    case SameContent::kYes: break;
  }
  entry.verified = true;
  if (entry.file.state == FileState::kReading && handles < settings.open_files_max) {
    entry.handle = std::move(opened).value();
    entry.size = stat.value().size;
    ++handles;
  }
  return true;
}

bool FileSource::State::find_missing(std::vector<Seen>& unknown, FileSink& sink, Instant now) {
  std::vector<Entry*> missing;
  for (const auto& entry : entries) {
    if (!entry->seen && !entry->handle.is_open() && entry->file.state == FileState::kReading &&
        entry->shadow_of.empty()) {
      missing.push_back(entry.get());
    }
  }
  archive_awaited = false;
  const bool new_archive = std::any_of(unknown.begin(), unknown.end(),
                                       [](const Seen& seen) { return !seen.first.empty(); });
  std::vector<Entry*> gone;
  for (Entry* entry : missing) {
    if (!find_by_inode(*entry) && !adopt_copy(*entry, unknown, now)) gone.push_back(entry);
  }
  if (archive_awaited) return false;
  for (Entry* entry : gone) {
    // Read to its end and quiet for long when it was last seen: deleted, as old logs are. Empty
    // when it was last seen: what was written then is in an archive that is read from its start.
    const bool quiet = entry->parked && entry->begun && entry->size == entry->read_offset &&
                       now - entry->grew >= kQuiet;
    const bool was_empty = entry->read_offset == 0 && entry->file.head_bytes == 0;
    if (quiet || (was_empty && new_archive)) {
      finish(*entry, sink, FileEnd::kComplete);
      continue;
    }
    if (entry->begun || entry->read_offset > 0) {
      say_once(true, entry->file.path +
                         ": gone, truncated or replaced before it was known to be "
                         "read to its end; what was unread of it is lost");
    }
    finish(*entry, sink, FileEnd::kLost);
  }
  return true;
}

// Moved to a name nobody could guess, but still in its folder.
bool FileSource::State::find_by_inode(Entry& entry) {
  if (entry.file.inode == 0) return false;
  const std::string folder{folder_of(entry.file.path)};
  for (const std::string& name : list_folder(folder).names) {
    const std::string path = joined(folder, name);
    const auto stat = stat_path(path);
    if (!stat || !stat.value().regular || !is_same_file(entry.file, stat.value())) continue;
    auto opened = OpenFile::open(path);
    if (!opened || same_content(opened.value(), entry.file) != SameContent::kYes) return false;
    entry.was_path = std::exchange(entry.file.path, path);
    entry.handle = std::move(opened).value();
    entry.size = stat.value().size;
    entry.modified_ns = stat.value().modified_ns;
    entry.verified = true;
    entry.seen = true;
    entry.dirty = true;
    return true;
  }
  return false;
}

bool FileSource::State::add(const Seen& seen, FileSink& sink, Instant now) {
  if (entries.size() >= settings.known_files_max) {
    say_once(true, "more than " + std::to_string(settings.known_files_max) +
                       " files; the rest is not read");
    look_refusal = "too_many_files";
    return true;
  }
  if (is_compressed_name(seen.path)) return add_archive(seen, sink, now);
  auto opened = OpenFile::open(seen.path);
  if (!opened) {
    if (seen.in_glob || read_before || !first_look) refuse(seen.path, opened.error());
    return opened.error().code() != Errc::kNotFound;  // tried again at the next look
  }
  const auto stat = opened.value().stat();
  if (!stat) return false;
  return take_up(seen, std::move(opened).value(), stat.value(), now);
}

bool FileSource::State::take_up(const Seen& seen, OpenFile opened, const FileStat& stat,
                                Instant now) {
  if (stat.inode != seen.stat.inode || stat.device != seen.stat.device) return false;
  if (entries.by_inode(stat.device, stat.inode) != nullptr) return true;
  auto entry = std::make_unique<Entry>();
  entry->handle = std::move(opened);
  entry->file.device = stat.device;
  entry->file.inode = stat.inode;
  entry->file.path = seen.path;
  entry->file.key = make_key(stat, now);
  if (!grow_head(entry->handle, stat.size, entry->file)) return true;
  entry->in_glob = seen.in_glob;
  entry->seen = true;
  entry->verified = true;
  refresh(*entry, stat, now);
  if (!seen.in_glob && !read_before && first_look) {
    entry->file.state = FileState::kIgnored;
    entry->handle.close();
  } else {
    entry->shadow_of = copy_of(entry->handle, stat, is_compressed_name(seen.path));
    if (entry->shadow_of.empty() && handles >= settings.open_files_max) {
      entry->handle.close();  // opened again when its turn to be read comes
    } else {
      ++handles;
    }
  }
  entry->dirty = entry->shadow_of.empty();
  entries.add(std::move(entry));
  return true;
}

}  // namespace meldevakt::agent
