#include "tests/sim/unsynced_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <string>

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

// --- the log beside a database -------------------------------------------------------------------

struct MemoryLog {
  std::mutex mutex;
  std::string bytes;
};
std::map<std::string, std::shared_ptr<MemoryLog>>& logs() {
  static std::map<std::string, std::shared_ptr<MemoryLog>> all;
  return all;
}

struct LogFile {
  sqlite3_file base;  // first: SQLite knows no more of it
  std::shared_ptr<MemoryLog> log;
};
LogFile& log_file(sqlite3_file* file) {
  return *reinterpret_cast<LogFile*>(file);
}

int close_log(sqlite3_file* file) {
  log_file(file).~LogFile();
  return SQLITE_OK;
}

int read_log(sqlite3_file* file, void* to, int count, sqlite3_int64 from) {
  MemoryLog& log = *log_file(file).log;
  const std::lock_guard lock{log.mutex};
  const auto wanted = static_cast<std::size_t>(count);
  const std::size_t begin = std::min(static_cast<std::size_t>(from), log.bytes.size());
  const std::size_t there = std::min(wanted, log.bytes.size() - begin);
  std::memcpy(to, log.bytes.data() + begin, there);
  if (there == wanted) return SQLITE_OK;
  std::memset(static_cast<char*>(to) + there, 0, wanted - there);
  return SQLITE_IOERR_SHORT_READ;
}

int write_log(sqlite3_file* file, const void* from, int count, sqlite3_int64 to) {
  MemoryLog& log = *log_file(file).log;
  const std::lock_guard lock{log.mutex};
  const auto begin = static_cast<std::size_t>(to);
  const std::size_t end = begin + static_cast<std::size_t>(count);
  if (log.bytes.size() < end) log.bytes.resize(end);
  std::memcpy(log.bytes.data() + begin, from, static_cast<std::size_t>(count));
  return SQLITE_OK;
}

int truncate_log(sqlite3_file* file, sqlite3_int64 size) {
  MemoryLog& log = *log_file(file).log;
  const std::lock_guard lock{log.mutex};
  log.bytes.resize(static_cast<std::size_t>(size));
  return SQLITE_OK;
}

int size_of_log(sqlite3_file* file, sqlite3_int64* size) {
  MemoryLog& log = *log_file(file).log;
  const std::lock_guard lock{log.mutex};
  *size = static_cast<sqlite3_int64>(log.bytes.size());
  return SQLITE_OK;
}

int do_not_sync(sqlite3_file*, int) {
  return SQLITE_OK;
}
// Logs are locked through the shared index of their database.
int lock_nothing(sqlite3_file*, int) {
  return SQLITE_OK;
}
int nobody_reserved(sqlite3_file*, int* reserved) {
  *reserved = 0;
  return SQLITE_OK;
}
int no_control(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}
int whole_numbers(sqlite3_file*) {
  return 0;
}

constexpr sqlite3_io_methods kLogMethods = [] {
  sqlite3_io_methods out{};
  out.iVersion = 1;
  out.xClose = close_log;
  out.xRead = read_log;
  out.xWrite = write_log;
  out.xTruncate = truncate_log;
  out.xSync = do_not_sync;
  out.xFileSize = size_of_log;
  out.xLock = lock_nothing;
  out.xUnlock = lock_nothing;
  out.xCheckReservedLock = nobody_reserved;
  out.xFileControl = no_control;
  out.xSectorSize = whole_numbers;
  out.xDeviceCharacteristics = whole_numbers;
  return out;
}();

int open_log(const char* name, sqlite3_file* file, int flags, int* got) {
  const std::lock_guard lock{g_mutex};
  std::shared_ptr<MemoryLog>& log = logs()[name];
  if (!log) log = std::make_shared<MemoryLog>();
  new (file) LogFile{{&kLogMethods}, log};
  if (got != nullptr) *got = flags;
  return SQLITE_OK;
}

// --- the layer -----------------------------------------------------------------------------------

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* got) {
  if ((flags & SQLITE_OPEN_WAL) != 0) return open_log(name, file, flags, got);
  const int result = g_system->xOpen(g_system, name, file, flags, got);
  if (file->pMethods == nullptr) return result;
  const std::lock_guard lock{g_mutex};
  const auto [at, is_new] = tables().try_emplace(file->pMethods, *file->pMethods);
  if (is_new) at->second.xSync = do_not_sync;
  file->pMethods = &at->second;
  return result;
}

int delete_file(sqlite3_vfs*, const char* name, int sync_folder) {
  {
    const std::lock_guard lock{g_mutex};
    if (logs().erase(name) > 0) return SQLITE_OK;
  }
  return g_system->xDelete(g_system, name, sync_folder);
}

int look_at_file(sqlite3_vfs*, const char* name, int what, int* answer) {
  {
    const std::lock_guard lock{g_mutex};
    if (logs().contains(name)) {
      *answer = 1;
      return SQLITE_OK;
    }
  }
  return g_system->xAccess(g_system, name, what, answer);
}

}  // namespace

struct UnsyncedVfs::Layer {
  sqlite3_vfs vfs;
};

UnsyncedVfs::UnsyncedVfs() : layer_{std::make_unique<Layer>()} {
  g_system = sqlite3_vfs_find(nullptr);
  MELDEVAKT_CHECK(g_system != nullptr);
  sqlite3_vfs& vfs = layer_->vfs;
  vfs = *g_system;
  vfs.pNext = nullptr;
  vfs.zName = kUnsyncedVfs.data();
  vfs.szOsFile = std::max(vfs.szOsFile, static_cast<int>(sizeof(LogFile)));
  vfs.xOpen = open_file;
  vfs.xDelete = delete_file;
  vfs.xAccess = look_at_file;
  MELDEVAKT_CHECK(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
}

UnsyncedVfs::~UnsyncedVfs() {
  sqlite3_vfs_unregister(&layer_->vfs);
}

}  // namespace meldevakt::sim
