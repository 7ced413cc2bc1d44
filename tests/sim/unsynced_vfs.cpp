#include "tests/sim/unsynced_vfs.h"

#include <sqlite3.h>

#include <map>
#include <mutex>

#include "common/base/check.h"

namespace meldevakt::sim {
namespace {

sqlite3_vfs* g_system = nullptr;
std::mutex g_mutex;
// The system's tables of functions, each with another sync; never taken away while files are open.
std::map<const sqlite3_io_methods*, sqlite3_io_methods>& tables() {
  static std::map<const sqlite3_io_methods*, sqlite3_io_methods> all;
  return all;
}

int do_not_sync(sqlite3_file*, int) {
  return SQLITE_OK;
}

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* got) {
  const int result = g_system->xOpen(g_system, name, file, flags, got);
  if (file->pMethods == nullptr) return result;
  const std::lock_guard lock{g_mutex};
  const auto [at, is_new] = tables().try_emplace(file->pMethods, *file->pMethods);
  if (is_new) at->second.xSync = do_not_sync;
  file->pMethods = &at->second;
  return result;
}

}  // namespace

struct UnsyncedVfs::Layer {
  sqlite3_vfs vfs;
};

UnsyncedVfs::UnsyncedVfs() : layer_{std::make_unique<Layer>()} {
  g_system = sqlite3_vfs_find(nullptr);
  MELDEVAKT_CHECK(g_system != nullptr);
  layer_->vfs = *g_system;
  layer_->vfs.pNext = nullptr;
  layer_->vfs.zName = kUnsyncedVfs.data();
  layer_->vfs.xOpen = open_file;
  MELDEVAKT_CHECK(sqlite3_vfs_register(&layer_->vfs, 0) == SQLITE_OK);
}

UnsyncedVfs::~UnsyncedVfs() {
  sqlite3_vfs_unregister(&layer_->vfs);
}

}  // namespace meldevakt::sim
