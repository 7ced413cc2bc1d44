// What the kernel of a Linux machine says of its load at one moment: the files of /proc, of the
// control group and the local file systems, as numbers.
//
//   const HostCounters now = read_host_counters({.proc = "/proc"}, {.cpu = true});
//
// Most are counters since boot, of which host_sample.h makes rates. What is not there (no pressure
// stall information, no control group, a file that is not allowed or not of its form) is left out,
// and costs nothing else anything. Names of disks are kept to tell one from the other between two
// readings; they go nowhere.
//
// Thread-safety: pure functions, but for the files read. Bounds: kHostFileBytesMax of a file,
// kDisksMax disks, kFileSystemsMax file systems. Errors: none.
// Source of rules: the kernel's Documentation/filesystems/proc.rst, admin-guide/iostats.rst,
// admin-guide/cgroup-v2.rst, accounting/psi.rst.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meldevakt::agent {

inline constexpr std::size_t kHostFileBytesMax = 4 * 1024 * 1024;
inline constexpr std::size_t kDisksMax = 1024;
inline constexpr std::size_t kFileSystemsMax = 256;

// Which numbers are asked for: `metrics = ["cpu", "disk", "memory"]`.
struct HostGroups {
  bool cpu = false;
  bool disk = false;
  bool memory = false;
};

struct HostRoots {
  std::string proc = "/proc";
  std::string cgroup = "/sys/fs/cgroup";
  std::vector<std::string> folders;  // whose file systems are watched; none: all local ones
};

struct CpuTimes {  // in ticks, of all processors together
  std::uint64_t idle = 0;
  std::uint64_t iowait = 0;
  std::uint64_t total = 0;
};

struct Stall {  // microseconds in which some, or all, had to wait
  std::optional<std::uint64_t> some;
  std::optional<std::uint64_t> full;
};

struct DiskTimes {
  std::uint64_t operations = 0;
  std::uint64_t waited_ms = 0;  // of all operations together
  std::uint64_t busy_ms = 0;
};

struct FileSystemSpace {
  std::uint64_t blocks = 0;
  std::uint64_t blocks_free = 0;  // for others than root
  std::uint64_t files = 0;        // 0: it does not count them
  std::uint64_t files_free = 0;
};

struct HostCounters {
  std::optional<CpuTimes> cpu;
  std::uint32_t processors = 0;
  std::optional<double> load;       // of the last minute
  std::optional<double> cpu_limit;  // processors that the control group may use
  std::optional<std::uint64_t> cpu_used_us;
  std::optional<std::uint64_t> cpu_throttled_us;
  Stall cpu_stall, io_stall, memory_stall;
  std::optional<std::uint64_t> memory_total, memory_available;  // bytes
  std::optional<std::uint64_t> swap_total, swap_free;           // bytes
  std::optional<std::uint64_t> memory_limit, memory_used;       // bytes, of the control group
  std::optional<std::uint64_t> pages_swapped_in, pages_swapped_out, oom_kills;
  std::map<std::string, DiskTimes> disks;  // whole ones
  std::vector<FileSystemSpace> file_systems;

  [[nodiscard]] bool empty() const;  // nothing could be had
};

[[nodiscard]] HostCounters read_host_counters(const HostRoots& roots, HostGroups groups);

// The files one by one, for tests; each adds to `out` what it understands.
void parse_stat(std::string_view text, HostCounters& out);
void parse_loadavg(std::string_view text, HostCounters& out);
void parse_meminfo(std::string_view text, HostCounters& out);
void parse_vmstat(std::string_view text, HostCounters& out);
void parse_diskstats(std::string_view text, HostCounters& out);
[[nodiscard]] Stall parse_pressure(std::string_view text);
// Mount points of local file systems that hold data, each device once.
[[nodiscard]] std::vector<std::string> parse_mounts(std::string_view text);

}  // namespace meldevakt::agent
