// When a file is over: it was rotated away, or deleted, and what its writer went on with is being
// read.
#include <algorithm>
#include <utility>

#include "agent/source/file_source_state.h"
#include "agent/source/names.h"

namespace meldevakt::agent {
namespace {

// A file that is not read any more is forgotten after so many listings without it: one may miss a
// file that is being renamed.
constexpr int kMissedMax = 3;

// How often every file is asked whether it is over when nothing happened.
constexpr Duration kJudgeEvery = seconds(1);

}  // namespace

// A file is over because of something that happened, or because time passed; and what is over must
// be ended before the first byte of what follows it is read. Among thousands of files those that
// grow are many, and only one that has its first bytes is a reason to ask all.
bool FileSource::State::is_judging_due(Instant now) const {
  if (looked || now - judged >= kJudgeEvery || now < judged) return true;
  const bool few = entries.size() <= settings.open_files_max;
  return std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
    return entry->file.state == FileState::kReading && entry->shadow_of.empty() &&
           !is_read_to_end(*entry) && (few || entry->read_offset == 0);
  });
}

bool FileSource::State::is_over(const Entry& entry, Instant now) {
  if (entry.gone || !is_read_to_end(entry)) return false;
  // Neither grows any more. And a copy must not stay open: what is claimed to be read would then
  // reach over what was written between copying and truncating.
  if (is_compressed_name(entry.file.path) || entry.file.cut) return true;
  const bool quiet = now - entry.grew >= kQuiet;
  if (entry.links == 0 && quiet) return true;
  if (entry.revived && !quiet) return false;
  return is_followed(entry, now);
}

// Whether another file of the source has been written since, and is what this one's writer, or
// nobody, went on with.
bool FileSource::State::is_followed(const Entry& entry, Instant now) {
  const Followers& all = find_followers();
  const auto follows = [&](const Entry* other) {
    return other != nullptr && other != &entry && other->file.state == FileState::kReading &&
           other->modified_ns >= entry.modified_ns;
  };
  if (!follows(all.newest == &entry ? all.second_newest : all.newest)) return false;
  if (!entry.seen) return true;
  const auto at = [&](const std::string& path) {
    const auto found = all.by_path.find(path);
    return found == all.by_path.end() ? nullptr : found->second;
  };
  const std::string_view folder = folder_of(entry.file.path);
  for (const std::string& of : rotated_from(name_of(entry.file.path))) {
    if (follows(at(joined(folder, of)))) return true;
  }
  if (!entry.was_path.empty() && follows(at(entry.was_path))) return true;
  if (const auto mask = dated_name_mask(entry.file.path)) {
    const auto found = all.newest_by_mask.find(*mask);
    if (found != all.newest_by_mask.end() && follows(found->second) &&
        older_by_name(entry.file.path, found->second->file.path)) {
      return true;
    }
  }
  return now.ms - entry.modified_ns / 1'000'000 >= kRetireAfter.ms;
}

const Followers& FileSource::State::find_followers() {
  if (followers) return *followers;
  Followers& out = followers.emplace();
  for (const auto& entry : entries) {
    if (entry->file.state != FileState::kReading || entry->size == 0 || !entry->shadow_of.empty()) {
      continue;
    }
    out.by_path[entry->file.path] = entry.get();
    if (out.newest == nullptr || entry->modified_ns > out.newest->modified_ns) {
      out.second_newest = std::exchange(out.newest, entry.get());
    } else if (out.second_newest == nullptr ||
               entry->modified_ns > out.second_newest->modified_ns) {
      out.second_newest = entry.get();
    }
    if (const auto mask = dated_name_mask(entry->file.path)) {
      const Entry*& newest = out.newest_by_mask[*mask];
      if (newest == nullptr || older_by_name(newest->file.path, entry->file.path)) {
        newest = entry.get();
      }
    }
  }
  return out;
}

// Only names that are gone are forgotten: their inodes may be used again for other files.
void FileSource::State::forget_unseen() {
  entries.erase_if([&](Entry& entry) {
    if (entry.seen || entry.gone || ++entry.missed < kMissedMax) return false;
    if (!entry.shadow_of.empty()) return true;
    if (entry.file.state == FileState::kReading) return false;
    forgotten.push_back(entry.file.key);
    remember(entry.file);
    ++deleted;
    return true;
  });
}

}  // namespace meldevakt::agent
