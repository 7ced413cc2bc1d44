// A SQLite VFS for tests: keeps files in memory, counts and fails chosen operations, and cuts
// power.
//
//   FaultVfs disk{"fault"};                       // registered under that name
//   ... open "file:state.db?vfs=fault" ...
//   disk.fail_at(n, Fault::kIoError);             // the n-th write, sync or truncate from now on
//   fails disk.power_cut(torn_bytes);                   // forgets what was not synced, but for the
//   first bytes
//
// Thread-safety: none; one connection at a time. Shared memory (WAL index) is kept on the heap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace meldevakt::testing {

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
  [[nodiscard]] std::size_t syncs() const;       // since construction

  void power_cut(std::size_t torn_bytes);

 private:
  struct Disk;
  std::unique_ptr<Disk> disk_;
};

}  // namespace meldevakt::testing
