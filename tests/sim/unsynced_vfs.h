// A file system layer for SQLite that is the system's own but for two things: it never waits for
// the disk, and it keeps the log beside a database in memory, where all connections of this process
// find it. A simulation that is thrown away, or made again in a minute, has nothing to make
// durable; a database that is closed by its last connection lies whole on the disk.
//
//   UnsyncedVfs vfs;                                    // registered as kUnsyncedVfs
//   SqliteStore::open({path, std::string{kUnsyncedVfs}, false});
//
// Thread-safety: as the system's layer. One at a time; must outlive every connection.
#pragma once

#include <memory>
#include <string_view>

namespace meldevakt::sim {

inline constexpr std::string_view kUnsyncedVfs = "meldevakt-unsynced";

class UnsyncedVfs {
 public:
  UnsyncedVfs();
  ~UnsyncedVfs();
  UnsyncedVfs(const UnsyncedVfs&) = delete;
  UnsyncedVfs& operator=(const UnsyncedVfs&) = delete;

 private:
  struct Layer;
  std::unique_ptr<Layer> layer_;
};

}  // namespace meldevakt::sim
