// The files of one source, found by inode or by key without a search: a folder may hold ten
// thousand.
//
// Inode and key are changed through Entries only, so that what it finds is always so. An inode of 0
// is none: the entry's content is somewhere else, or gone.
//
// Thread-safety: none. Ownership: Entries owns; an Entry* is good until it is erased.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/source/file_identity.h"
#include "common/base/time.h"

namespace meldevakt::agent {

struct Entry {
  KnownFile file;
  OpenFile handle;
  std::string was_path;  // the name before the last rename
  std::string log;       // that it is a part of, by the first name it was seen under in this run
  std::uint64_t read_offset = 0;
  std::string overlap;        // the last bytes handed on, to notice content that changed underneath
  std::uint64_t padding = 0;  // NUL bytes behind read_offset, to the end of the file
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t read_modified_ns = -1;  // modified_ns when it was last read to its end
  std::uint64_t links = 1;
  int missed = 0;         // listings in a row that did not show it
  Instant grew;           // when it was last seen to grow
  bool begun = false;     // the sink knows it
  bool verified = false;  // its content has been compared with what was known, in this run
  bool seen = false;      // found under some name in the last look
  bool in_glob = false;
  bool revived = false;  // grew after it was taken for finished
  bool parked = false;   // read to its end, and closed because too many files are open
  bool dirty = false;
  bool other_content = false;  // its inode was seen to hold something else
  bool gone = false;           // ended as lost; dropped at the end of the turn
  std::string shadow_of;       // key of the entry whose content this is a copy of; not read
};

// Every byte there is, but padding, has been handed on.
[[nodiscard]] inline bool is_read_to_end(const Entry& entry) {
  return entry.begun && entry.size == entry.read_offset + entry.padding &&
         entry.modified_ns == entry.read_modified_ns;
}

class Entries {
 public:
  void add(std::unique_ptr<Entry> entry);
  template <typename Predicate>
  void erase_if(const Predicate& predicate) {
    std::erase_if(all_, [&](const std::unique_ptr<Entry>& entry) {
      if (!predicate(*entry)) return false;
      forget(*entry);
      return true;
    });
  }

  [[nodiscard]] Entry* by_inode(std::uint64_t device, std::uint64_t inode) const;
  [[nodiscard]] Entry* by_key(const std::string& key) const;

  void set_inode(Entry& entry, std::uint64_t device, std::uint64_t inode);
  void set_key(Entry& entry, std::string key);

  [[nodiscard]] auto begin() const { return all_.begin(); }
  [[nodiscard]] auto end() const { return all_.end(); }
  [[nodiscard]] std::size_t size() const { return all_.size(); }

 private:
  using FileId = std::pair<std::uint64_t, std::uint64_t>;

  void forget(const Entry& entry);
  void forget_inode(const Entry& entry);

  std::vector<std::unique_ptr<Entry>> all_;
  std::map<FileId, Entry*> by_inode_;
  std::unordered_map<std::string, Entry*> by_key_;
};

}  // namespace meldevakt::agent
