// The disk under FaultVfs: files, folder entries and what of both a power cut leaves.
//
// A file has two states: what programs see, and what is on the medium. Writes and truncations wait
// in order between them until a sync. A name has the same two states; names reach the medium only
// by sync_names(), as fsync(2) of the folder does. Modelled after the hostile reading of POSIX:
//
//   - a failed sync loses what it should have brought to the medium: programs go on seeing it, but
//     a later sync does not repeat it (Linux marks such pages clean);
//   - a power cut keeps a prefix of the waiting writes of each file, `torn_bytes` of data long;
//   - a name created or removed without sync_names() is as it was before.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace meldevakt::testing {

// Locks of the WAL index and its memory, which live as long as somebody has the file open.
struct SharedIndex {
  static constexpr int kLocks = 8;  // SQLITE_SHM_NLOCK
  std::vector<std::unique_ptr<char[]>> regions;
  int shared[kLocks] = {};
  bool exclusive[kLocks] = {};
  int users = 0;
};

class MemoryFile {
 public:
  [[nodiscard]] const std::string& seen() const { return seen_; }

  void write(std::uint64_t offset, std::string_view bytes);
  void truncate(std::uint64_t size);
  void sync();       // everything waiting reaches the medium
  void lose_sync();  // a sync failed: nothing waiting ever will
  void power_cut(std::size_t torn_bytes);

  // Locks on the file between connections (SQLite's five levels).
  int shared_locks = 0;
  const void* reserved_by = nullptr;
  const void* pending_by = nullptr;
  const void* exclusive_by = nullptr;
  std::shared_ptr<SharedIndex> index;

 private:
  struct Waiting {
    bool truncation;
    std::uint64_t offset;  // or the new size
    std::string bytes;
  };
  static void apply(std::string& content, const Waiting& change);

  std::string seen_;
  std::string medium_;
  std::vector<Waiting> waiting_;
};

class MemoryDisk {
 public:
  using FilePointer = std::shared_ptr<MemoryFile>;

  [[nodiscard]] FilePointer find(const std::string& name) const;  // null: not there
  FilePointer create(const std::string& name);
  void remove(const std::string& name) { seen_.erase(name); }
  void sync_names() { medium_ = seen_; }
  // As if the machine had been off: what FaultVfs had open before is dead.
  void power_cut(std::size_t torn_bytes);

 private:
  std::map<std::string, FilePointer> seen_;
  std::map<std::string, FilePointer> medium_;
};

}  // namespace meldevakt::testing
