#include "common/testing/memory_disk.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace meldevakt::testing {

void MemoryFile::apply(std::string& content, const Waiting& change) {
  if (change.truncation) {
    content.resize(change.offset);
    return;
  }
  const std::size_t end = change.offset + change.bytes.size();
  if (content.size() < end) content.resize(end);
  std::copy(change.bytes.begin(), change.bytes.end(),
            content.begin() + static_cast<std::ptrdiff_t>(change.offset));
}

void MemoryFile::write(std::uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  waiting_.push_back({false, offset, std::string{bytes}});
  apply(seen_, waiting_.back());
}

void MemoryFile::truncate(std::uint64_t size) {
  waiting_.push_back({true, size, {}});
  apply(seen_, waiting_.back());
}

void MemoryFile::sync() {
  for (const Waiting& change : waiting_) apply(medium_, change);
  waiting_.clear();
}

void MemoryFile::lose_sync() {
  waiting_.clear();
}

void MemoryFile::power_cut(std::size_t torn_bytes) {
  for (Waiting& change : waiting_) {
    if (torn_bytes == 0) break;
    if (change.bytes.size() > torn_bytes) change.bytes.resize(torn_bytes);
    torn_bytes -= change.bytes.size();
    apply(medium_, change);
  }
  waiting_.clear();
  seen_ = medium_;
  shared_locks = 0;
  reserved_by = pending_by = exclusive_by = nullptr;
  index.reset();  // memory; connections of before keep theirs until they are closed
}

MemoryDisk::FilePointer MemoryDisk::find(const std::string& name) const {
  const auto found = seen_.find(name);
  return found == seen_.end() ? nullptr : found->second;
}

MemoryDisk::FilePointer MemoryDisk::create(const std::string& name) {
  return seen_[name] = std::make_shared<MemoryFile>();
}

void MemoryDisk::power_cut(std::size_t torn_bytes) {
  seen_ = medium_;
  for (const auto& [name, file] : seen_) file->power_cut(torn_bytes);
}

}  // namespace meldevakt::testing
