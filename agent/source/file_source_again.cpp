// Reading once more what was handed on: for the log hold, which comes a while after the reader.
// The file may have been renamed, packed, truncated or replaced meanwhile: its content, not its
// name, says whether it is still the same, and that is asked after the bytes were read.
#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "agent/source/file_source.h"
#include "agent/source/file_source_state.h"

namespace meldevakt::agent {
namespace {

// A part out of an archive unpacks it from its start: of a larger one that would take too long.
constexpr std::uint64_t kArchiveAgainBytesMax = 32'000'000;
// Files whose names have gone, and whose content may lie in an archive. Only this run knows them.
constexpr std::size_t kRememberedMax = 256;

Error gone() {
  return {Errc::kNotFound, "the file is gone, or holds something else by now"};
}

Result<std::string> read_verified(const OpenFile& file, const KnownFile& known, std::uint64_t from,
                                  std::size_t size) {
  std::string bytes(size, '\0');
  MELDEVAKT_TRY_ASSIGN(const std::size_t got, file.read(from, bytes.data(), bytes.size()));
  bytes.resize(got);
  switch (same_content(file, known)) {
    case SameContent::kYes: break;
    case SameContent::kNo: return gone();
    case SameContent::kUnreadable: return Error{Errc::kIo, "cannot be read"};
  }
  if (bytes.empty()) return gone();
  return bytes;
}

}  // namespace

void FileSource::State::remember(const KnownFile& file) {
  if (remembered.size() == kRememberedMax) remembered.pop_front();
  remembered.push_back(file);
}

const KnownFile* FileSource::State::known_by_key(const std::string& key) const {
  const Entry* const entry = entries.by_key(key);
  if (entry != nullptr) return entry->gone ? nullptr : &entry->file;
  const auto found = std::find_if(remembered.begin(), remembered.end(),
                                  [&](const KnownFile& file) { return file.key == key; });
  return found == remembered.end() ? nullptr : &*found;
}

Result<std::string> FileSource::read_again(const std::string& key, std::uint64_t from,
                                           std::size_t size) {
  const KnownFile* const known = state_->known_by_key(key);
  if (known == nullptr) return gone();
  const Entry* const entry = state_->entries.by_key(key);
  if (entry != nullptr && entry->handle.is_open()) {
    auto bytes = read_verified(entry->handle, *known, from, size);
    if (bytes || bytes.error().code() != Errc::kNotFound) return bytes;
  }
  // Under its own name when it is closed, or the copy that its content went to.
  const auto opened = OpenFile::open(known->path);
  if (!opened && opened.error().code() == Errc::kIo) return opened.error();
  if (opened) {
    auto bytes = read_verified(opened.value(), *known, from, size);
    if (bytes || bytes.error().code() != Errc::kNotFound) return bytes;
  }
  // Packed while it was open here: the archive is a file of its own then.
  for (const std::string& path : state_->archive_paths) {
    const auto stat = stat_path(path);
    if (!stat || stat.value().size > kArchiveAgainBytesMax) continue;
    auto first = OpenFile::first_bytes(path, kHeadBytesMax);
    if (!first) continue;
    if (!begins_like(first.value(), *known)) continue;
    const auto archive = OpenFile::open(path);
    if (!archive) continue;
    auto bytes = read_verified(archive.value(), *known, from, size);
    if (bytes) return bytes;
  }
  return gone();
}

std::string FileSource::path_of(const std::string& key) const {
  const KnownFile* const known = state_->known_by_key(key);
  return known == nullptr ? std::string{} : known->path;
}

}  // namespace meldevakt::agent
