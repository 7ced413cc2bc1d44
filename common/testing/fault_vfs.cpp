#include "common/testing/fault_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/check.h"
#include "common/testing/memory_disk.h"

namespace meldevakt::testing {

struct FaultVfs::Disk {
  std::string name;
  sqlite3_vfs vfs{};
  MemoryDisk files;
  std::size_t boot = 0;  // power cuts so far; what was opened in an earlier boot is dead
  std::size_t handles_open = 0;
  std::size_t dead_handles_open = 0;

  bool armed = false;
  std::size_t fail_from = 0;
  Fault fault = Fault::kIoError;
  std::size_t operations = 0;
  std::size_t syncs = 0;

  // Counts one operation; true when it must fail.
  [[nodiscard]] bool fails() { return operations++ >= fail_from && armed; }
};

namespace {

// What stands behind one open sqlite3_file.
struct Handle {
  Handle(FaultVfs::Disk* on, MemoryDisk::FilePointer opened, bool named)
      : disk{on}, file{std::move(opened)}, counted{named}, boot{on->boot} {}

  [[nodiscard]] bool dead() const { return boot != disk->boot; }
  [[nodiscard]] bool fails() const { return counted && disk->fails(); }

  FaultVfs::Disk* disk;
  MemoryDisk::FilePointer file;
  bool counted;             // temporary files are no part of what must survive
  bool syncs_name = false;  // the next sync brings the folder's entries to the medium too
  std::size_t boot;
  int level = SQLITE_LOCK_NONE;
  std::shared_ptr<SharedIndex> index;
  unsigned shared_slots = 0;
  unsigned exclusive_slots = 0;
};

struct OpenFile {
  sqlite3_file base;  // SQLite knows this part
  Handle* handle;
};

Handle& handle_of(sqlite3_file* file) {
  return *reinterpret_cast<OpenFile*>(file)->handle;
}
FaultVfs::Disk& disk_of(sqlite3_vfs* vfs) {
  return *static_cast<FaultVfs::Disk*>(vfs->pAppData);
}

// --- files

int read_file(sqlite3_file* file, void* out, int amount, sqlite3_int64 offset) {
  const Handle& handle = handle_of(file);
  if (handle.dead()) return SQLITE_IOERR_READ;
  const std::string_view seen = handle.file->seen();
  const auto from = std::min(static_cast<std::size_t>(offset), seen.size());
  const std::string_view part = seen.substr(from, static_cast<std::size_t>(amount));
  std::memcpy(out, part.data(), part.size());
  if (part.size() == static_cast<std::size_t>(amount)) return SQLITE_OK;
  std::memset(static_cast<char*>(out) + part.size(), 0,
              static_cast<std::size_t>(amount) - part.size());
  return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* file, const void* data, int amount, sqlite3_int64 offset) {
  Handle& handle = handle_of(file);
  if (handle.dead()) return SQLITE_IOERR_WRITE;
  const std::string_view bytes{static_cast<const char*>(data), static_cast<std::size_t>(amount)};
  if (!handle.fails()) {
    handle.file->write(static_cast<std::uint64_t>(offset), bytes);
    return SQLITE_OK;
  }
  if (handle.disk->fault == Fault::kIoError) return SQLITE_IOERR_WRITE;
  // The last free block took a part of it.
  handle.file->write(static_cast<std::uint64_t>(offset), bytes.substr(0, bytes.size() / 2));
  return SQLITE_FULL;
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  Handle& handle = handle_of(file);
  if (handle.dead() || handle.fails()) return SQLITE_IOERR_TRUNCATE;
  handle.file->truncate(static_cast<std::uint64_t>(size));
  return SQLITE_OK;
}

int sync_file(sqlite3_file* file, int) {
  Handle& handle = handle_of(file);
  if (handle.dead()) return SQLITE_IOERR_FSYNC;
  if (handle.fails()) {
    handle.file->lose_sync();
    return SQLITE_IOERR_FSYNC;
  }
  handle.file->sync();
  ++handle.disk->syncs;
  if (std::exchange(handle.syncs_name, false)) handle.disk->files.sync_names();
  return SQLITE_OK;
}

int size_of_file(sqlite3_file* file, sqlite3_int64* size) {
  const Handle& handle = handle_of(file);
  if (handle.dead()) return SQLITE_IOERR_FSTAT;
  *size = static_cast<sqlite3_int64>(handle.file->seen().size());
  return SQLITE_OK;
}

// --- locks between connections

bool held_by_other(const void* holder, const Handle& me) {
  return holder && holder != &me;
}

int unlock_file(sqlite3_file* file, int level) {
  Handle& handle = handle_of(file);
  if (level >= handle.level) return SQLITE_OK;
  if (!handle.dead()) {
    MemoryFile& shared = *handle.file;
    for (const void** holder : {&shared.reserved_by, &shared.pending_by, &shared.exclusive_by}) {
      if (*holder == &handle) *holder = nullptr;
    }
    if (level == SQLITE_LOCK_NONE) --shared.shared_locks;
  }
  handle.level = level;
  return SQLITE_OK;
}

int lock_file(sqlite3_file* file, int level) {
  Handle& handle = handle_of(file);
  if (handle.dead()) return SQLITE_IOERR_LOCK;
  if (level <= handle.level) return SQLITE_OK;
  MemoryFile& shared = *handle.file;
  if (level == SQLITE_LOCK_SHARED) {
    if (held_by_other(shared.pending_by, handle) || held_by_other(shared.exclusive_by, handle)) {
      return SQLITE_BUSY;
    }
    ++shared.shared_locks;
  } else {
    if (held_by_other(shared.reserved_by, handle)) return SQLITE_BUSY;
    shared.reserved_by = &handle;
  }
  if (level == SQLITE_LOCK_EXCLUSIVE) {
    if (held_by_other(shared.pending_by, handle)) return SQLITE_BUSY;
    shared.pending_by = &handle;  // no new readers; those who are there finish
    handle.level = SQLITE_LOCK_PENDING;
    if (shared.shared_locks > 1) return SQLITE_BUSY;
    shared.exclusive_by = &handle;
  }
  handle.level = level;
  return SQLITE_OK;
}

int check_reserved_lock(sqlite3_file* file, int* result) {
  const Handle& handle = handle_of(file);
  *result = !handle.dead() && handle.file->reserved_by != nullptr ? 1 : 0;
  return SQLITE_OK;
}

// --- the WAL index: memory that connections share. A dead connection keeps its own until closed.

int map_index(sqlite3_file* file, int region, int region_bytes, int extend, volatile void** out) {
  Handle& handle = handle_of(file);
  *out = nullptr;
  if (!handle.index) {
    if (handle.dead()) return SQLITE_IOERR_SHMMAP;
    if (!handle.file->index) handle.file->index = std::make_shared<SharedIndex>();
    handle.index = handle.file->index;
    ++handle.index->users;
  }
  auto& regions = handle.index->regions;
  const auto wanted = static_cast<std::size_t>(region);
  if (wanted >= regions.size() && extend == 0) return SQLITE_OK;
  while (wanted >= regions.size()) {
    regions.push_back(std::make_unique<char[]>(static_cast<std::size_t>(region_bytes)));
  }
  *out = regions[wanted].get();
  return SQLITE_OK;
}

void release_slot(Handle& handle, int slot) {
  const unsigned bit = 1U << static_cast<unsigned>(slot);
  if ((handle.shared_slots & bit) != 0) --handle.index->shared[slot];
  if ((handle.exclusive_slots & bit) != 0) handle.index->exclusive[slot] = false;
  handle.shared_slots &= ~bit;
  handle.exclusive_slots &= ~bit;
}

// Whether somebody else stands in the way of this lock.
bool slot_is_taken(const Handle& handle, int slot, bool exclusively) {
  const unsigned bit = 1U << static_cast<unsigned>(slot);
  if (handle.index->exclusive[slot] && (handle.exclusive_slots & bit) == 0) return true;
  const int own = (handle.shared_slots & bit) != 0 ? 1 : 0;
  return exclusively && handle.index->shared[slot] > own;
}

int lock_index(sqlite3_file* file, int first, int count, int flags) {
  Handle& handle = handle_of(file);
  if (!handle.index) return SQLITE_IOERR_SHMLOCK;
  const bool exclusively = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  for (int slot = first; slot < first + count; ++slot) {
    if ((flags & SQLITE_SHM_UNLOCK) != 0) {
      release_slot(handle, slot);
    } else if (slot_is_taken(handle, slot, exclusively)) {
      return SQLITE_BUSY;
    }
  }
  if ((flags & SQLITE_SHM_UNLOCK) != 0) return SQLITE_OK;
  for (int slot = first; slot < first + count; ++slot) {
    release_slot(handle, slot);
    const unsigned bit = 1U << static_cast<unsigned>(slot);
    if (exclusively) {
      handle.index->exclusive[slot] = true;
      handle.exclusive_slots |= bit;
    } else {
      ++handle.index->shared[slot];
      handle.shared_slots |= bit;
    }
  }
  return SQLITE_OK;
}

void index_barrier(sqlite3_file*) {}  // one thread

int unmap_index(sqlite3_file* file, int) {
  Handle& handle = handle_of(file);
  if (!handle.index) return SQLITE_OK;
  for (int slot = 0; slot < SharedIndex::kLocks; ++slot) release_slot(handle, slot);
  if (--handle.index->users == 0 && handle.file->index == handle.index) handle.file->index.reset();
  handle.index.reset();
  return SQLITE_OK;
}

int close_file(sqlite3_file* file) {
  unmap_index(file, 0);
  unlock_file(file, SQLITE_LOCK_NONE);
  const std::unique_ptr<Handle> handle{reinterpret_cast<OpenFile*>(file)->handle};
  --handle->disk->handles_open;
  if (handle->dead()) --handle->disk->dead_handles_open;
  return SQLITE_OK;
}

int file_control(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}
int sector_size(sqlite3_file*) {
  return 4096;
}
// As SQLite's own file system on Linux, so that it does here what it does there.
int device_characteristics(sqlite3_file*) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

constexpr sqlite3_io_methods kMethods{
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = size_of_file,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_reserved_lock,
    .xFileControl = file_control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = device_characteristics,
    .xShmMap = map_index,
    .xShmLock = lock_index,
    .xShmBarrier = index_barrier,
    .xShmUnmap = unmap_index,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

// --- the folder

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  FaultVfs::Disk& disk = disk_of(vfs);
  file->pMethods = nullptr;  // then SQLite does not close what was not opened
  MemoryDisk::FilePointer found =
      name == nullptr ? std::make_shared<MemoryFile>() : disk.files.find(name);
  if (!found) {
    if ((flags & SQLITE_OPEN_CREATE) == 0 || disk.fails()) return SQLITE_CANTOPEN;
    found = disk.files.create(name);
  } else if (name != nullptr && (flags & SQLITE_OPEN_EXCLUSIVE) != 0) {
    return SQLITE_CANTOPEN;
  }
  auto handle = std::make_unique<Handle>(&disk, std::move(found), name != nullptr);
  constexpr int kJournals = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
  handle->syncs_name = (flags & SQLITE_OPEN_CREATE) != 0 && (flags & kJournals) != 0;
  ++disk.handles_open;
  reinterpret_cast<OpenFile*>(file)->handle = handle.release();
  file->pMethods = &kMethods;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int sync_folder) {
  FaultVfs::Disk& disk = disk_of(vfs);
  // A connection from before a power cut does not exist any more; only its closing does.
  if (disk.dead_handles_open != 0) return SQLITE_IOERR_DELETE;
  if (!disk.files.find(name)) return SQLITE_IOERR_DELETE_NOENT;
  if (disk.fails()) return SQLITE_IOERR_DELETE;
  disk.files.remove(name);
  if (sync_folder != 0) disk.files.sync_names();
  return SQLITE_OK;
}

int access_file(sqlite3_vfs* vfs, const char* name, int, int* result) {
  *result = disk_of(vfs).files.find(name) ? 1 : 0;
  return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", name);
  return SQLITE_OK;
}

}  // namespace

FaultVfs::FaultVfs(std::string name) : disk_{std::make_unique<Disk>()} {
  const sqlite3_vfs* const system = sqlite3_vfs_find(nullptr);
  MELDEVAKT_CHECK(system != nullptr);
  disk_->name = std::move(name);
  sqlite3_vfs& vfs = disk_->vfs;
  vfs.iVersion = 1;
  vfs.szOsFile = sizeof(OpenFile);
  vfs.mxPathname = 512;
  vfs.zName = disk_->name.c_str();
  vfs.pAppData = disk_.get();
  vfs.xOpen = open_file;
  vfs.xDelete = delete_file;
  vfs.xAccess = access_file;
  vfs.xFullPathname = full_path;
  // Not the disk's business. These do not use the vfs they are called with on any system we build.
  vfs.xRandomness = system->xRandomness;
  vfs.xSleep = system->xSleep;
  vfs.xCurrentTime = system->xCurrentTime;
  vfs.xGetLastError = [](sqlite3_vfs*, int, char*) { return 0; };
  MELDEVAKT_CHECK(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
}

FaultVfs::~FaultVfs() {
  MELDEVAKT_CHECK(disk_->handles_open == 0);
  sqlite3_vfs_unregister(&disk_->vfs);
}

void FaultVfs::fail_at(std::size_t operation, Fault fault) {
  disk_->armed = true;
  disk_->fail_from = operation;
  disk_->fault = fault;
  disk_->operations = 0;
}

void FaultVfs::clear_fault() {
  disk_->armed = false;
  disk_->operations = 0;
}

std::size_t FaultVfs::operations() const {
  return disk_->operations;
}
std::size_t FaultVfs::syncs() const {
  return disk_->syncs;
}

void FaultVfs::power_cut(std::size_t torn_bytes) {
  ++disk_->boot;
  disk_->dead_handles_open = disk_->handles_open;
  disk_->files.power_cut(torn_bytes);
}

}  // namespace meldevakt::testing
