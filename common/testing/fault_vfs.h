// A SQLite VFS for tests: keeps files in memory, counts and fails chosen operations, and cuts
// power.
//
//   FaultVfs disk{"fault"};                  // registered under that name
//   ... open "file:state.db?vfs=fault" ...
//   disk.fail_at(n, Fault::kIoError);        // from the n-th operation from now on all fail
//   disk.power_cut(torn_bytes);              // forgets what was not synced, but for the first
//                                            // bytes of each file's waiting writes
//   ... close the old connection, disk.clear_fault(), open again, look ...
//
// The model is the hostile reading of POSIX (memory_disk.h): a failed sync is never made good by a
// later one, names are durable only after a sync of the folder (SQLite asks for that when it syncs
// a new journal and when it deletes one). After power_cut() every connection opened before is dead:
// whatever it does fails and changes nothing, so closing it is safe; close it before the next one
// is opened. Temporary files are not counted and never fail.
//
// Thread-safety: none; all connections in one thread. Shared memory (WAL index) is kept on the
// heap. Several connections lock each other out as on a real disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace meldevakt::testing {

// kDiskFull: a failing write takes half of its bytes and reports SQLITE_FULL. Otherwise alike.
enum class Fault : std::uint8_t { kIoError, kDiskFull };

class FaultVfs {
 public:
  explicit FaultVfs(std::string name);
  ~FaultVfs();  // unregisters; REQUIRES: no connection is open
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  // Operation 0 is the next write, truncate, sync, create or delete. From then on every operation
  // fails until clear_fault().
  void fail_at(std::size_t operation, Fault fault);
  void clear_fault();
  [[nodiscard]] std::size_t operations() const;  // since the last fail_at or clear_fault
  [[nodiscard]] std::size_t syncs() const;       // successful ones, since construction

  void power_cut(std::size_t torn_bytes);

  struct Disk;  // fault_vfs.cpp

 private:
  std::unique_ptr<Disk> disk_;
};

}  // namespace meldevakt::testing
