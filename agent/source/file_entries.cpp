#include "agent/source/file_entries.h"

#include <utility>

namespace meldevakt::agent {

void Entries::add(std::unique_ptr<Entry> entry) {
  // Of two that claim one inode (only a damaged state could say so) the first is found.
  if (entry->file.inode != 0) {
    by_inode_.emplace(FileId{entry->file.device, entry->file.inode}, entry.get());
  }
  by_key_.emplace(entry->file.key, entry.get());
  all_.push_back(std::move(entry));
}

Entry* Entries::by_inode(std::uint64_t device, std::uint64_t inode) const {
  const auto found = by_inode_.find({device, inode});
  return found == by_inode_.end() ? nullptr : found->second;
}

Entry* Entries::by_key(const std::string& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : found->second;
}

void Entries::set_inode(Entry& entry, std::uint64_t device, std::uint64_t inode) {
  forget_inode(entry);
  entry.file.device = device;
  entry.file.inode = inode;
  if (inode != 0) by_inode_[{device, inode}] = &entry;
}

void Entries::set_key(Entry& entry, std::string key) {
  const auto found = by_key_.find(entry.file.key);
  if (found != by_key_.end() && found->second == &entry) by_key_.erase(found);
  entry.file.key = std::move(key);
  by_key_[entry.file.key] = &entry;
}

void Entries::forget(const Entry& entry) {
  forget_inode(entry);
  const auto found = by_key_.find(entry.file.key);
  if (found != by_key_.end() && found->second == &entry) by_key_.erase(found);
}

void Entries::forget_inode(const Entry& entry) {
  const auto found = by_inode_.find({entry.file.device, entry.file.inode});
  if (found != by_inode_.end() && found->second == &entry) by_inode_.erase(found);
}

}  // namespace meldevakt::agent
