#include "agent/source/host_counters.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>

#include "agent/source/file_identity.h"

namespace meldevakt::agent {
namespace {

constexpr std::uint64_t kKibibyte = 1024;

template <typename T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

std::string_view take_word(std::string_view& line) {
  const std::size_t from = std::min(line.find_first_not_of(" \t"), line.size());
  line.remove_prefix(from);
  const std::string_view word = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(word.size());
  return word;
}

std::vector<std::optional<std::uint64_t>> numbers(std::string_view line) {
  std::vector<std::optional<std::uint64_t>> out;
  while (true) {
    const std::string_view word = take_word(line);
    if (word.empty()) return out;
    out.push_back(number<std::uint64_t>(word));
  }
}

// sda1 of sda, nvme0n1p2 of nvme0n1.
bool is_partition_of(std::string_view name, std::string_view disk) {
  if (name.size() <= disk.size() || name.substr(0, disk.size()) != disk) return false;
  std::string_view rest = name.substr(disk.size());
  const bool digit_before = disk.back() >= '0' && disk.back() <= '9';
  if (digit_before) {
    if (rest.front() != 'p') return false;
    rest.remove_prefix(1);
  }
  return !rest.empty() &&
         std::all_of(rest.begin(), rest.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// What is made of other disks, of memory or of files would be counted twice, or is none.
bool is_made_of_others(std::string_view name) {
  constexpr std::array<std::string_view, 7> kPrefixes{"loop", "ram", "zram", "sr",
                                                      "fd",   "dm-", "md"};
  return std::any_of(kPrefixes.begin(), kPrefixes.end(), [&](std::string_view prefix) {
    return name.substr(0, prefix.size()) == prefix;
  });
}

// A mount point as it is written: a blank is \040.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::uint8_t code = 0;
    if (text[at] == '\\' && at + 3 < text.size()) {
      const auto [end, error] =
          std::from_chars(text.data() + at + 1, text.data() + at + 4, code, 8);
      if (error == std::errc{} && end == text.data() + at + 4) {
        out += static_cast<char>(code);
        at += 3;
        continue;
      }
    }
    out += text[at];
  }
  return out;
}

bool holds_data(std::string_view type) {
  constexpr std::array<std::string_view, 14> kTypes{
      "ext2", "ext3", "ext4",  "xfs",      "btrfs",    "zfs",     "f2fs",
      "jfs",  "ntfs", "ntfs3", "reiserfs", "bcachefs", "fuseblk", "overlay"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

// Such files say that they are empty; they are read until there is no more.
std::string text_of(const std::string& folder, const std::string& name) {
  constexpr std::size_t kChunk = 16 * 1024;
  std::string out;
  const auto file = OpenFile::open(folder + "/" + name);
  if (!file) return out;
  while (out.size() < kHostFileBytesMax) {
    const std::size_t before = out.size();
    out.resize(before + kChunk);
    const auto read = file.value().read(before, out.data() + before, kChunk);
    out.resize(before + (read ? read.value() : 0));
    if (out.size() == before) break;
  }
  return out;
}

// "key 123" in a file of such lines.
std::optional<std::uint64_t> value_of(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (take_word(line) == key) return number<std::uint64_t>(take_word(line));
  }
  return std::nullopt;
}

std::optional<std::uint64_t> whole_file(std::string_view text) {
  return number<std::uint64_t>(take_word(text = take_line(text)));
}

// The group that the machine's root is has no limits and no such files.
void read_cgroup_cpu(const std::string& folder, HostCounters& out) {
  const std::string limit = text_of(folder, "cpu.max");
  std::string_view line = std::string_view{limit}.substr(0, limit.find('\n'));
  const auto quota = number<std::uint64_t>(take_word(line));
  const auto period = number<std::uint64_t>(take_word(line));
  if (!quota || !period || *quota == 0 || *period == 0) return;
  out.cpu_limit = static_cast<double>(*quota) / static_cast<double>(*period);
  const std::string used = text_of(folder, "cpu.stat");
  out.cpu_used_us = value_of(used, "usage_usec");
  out.cpu_throttled_us = value_of(used, "throttled_usec");
}

// What is cached of files gives way, so it is not used.
void read_cgroup_memory(const std::string& folder, HostCounters& out) {
  const auto limit = whole_file(text_of(folder, "memory.max"));
  const auto used = whole_file(text_of(folder, "memory.current"));
  if (!limit || *limit == 0 || !used) return;
  const auto cached = value_of(text_of(folder, "memory.stat"), "inactive_file").value_or(0);
  out.memory_limit = limit;
  out.memory_used = *used - std::min(cached, *used);
}

// Of the control group where the process is in one of its own; there its stalls are the nearer.
Stall read_stall(const HostRoots& roots, const std::string& what) {
  const Stall own = parse_pressure(text_of(roots.cgroup, what + ".pressure"));
  return own.some ? own : parse_pressure(text_of(roots.proc + "/pressure", what));
}

void read_file_systems(const HostRoots& roots, HostCounters& out) {
  std::vector<std::string> paths = roots.folders;
  if (paths.empty()) paths = parse_mounts(text_of(roots.proc + "/self", "mounts"));
  for (const std::string& path : paths) {
    struct statvfs space {};
    if (::statvfs(path.c_str(), &space) != 0 || space.f_blocks == 0) continue;
    out.file_systems.push_back({space.f_blocks, space.f_bavail, space.f_files, space.f_favail});
  }
}

}  // namespace

bool HostCounters::empty() const {
  return !cpu && !load && !cpu_limit && !cpu_stall.some && !io_stall.some && !memory_stall.some &&
         !memory_total && !memory_limit && !pages_swapped_out && disks.empty() &&
         file_systems.empty();
}

void parse_stat(std::string_view text, HostCounters& out) {
  while (!text.empty()) {
    std::string_view line = take_line(text);
    const std::string_view name = take_word(line);
    if (name.substr(0, 3) != "cpu") break;  // they come first
    if (name != "cpu") {
      ++out.processors;
      continue;
    }
    // user nice system idle iowait irq softirq steal; guests are within user and nice.
    const auto times = numbers(line);
    if (times.size() < 4) return;
    CpuTimes cpu;
    for (std::size_t i = 0; i < std::min<std::size_t>(times.size(), 8); ++i) {
      if (!times[i]) return;
      cpu.total += *times[i];
    }
    cpu.idle = *times[3];
    cpu.iowait = times.size() > 4 ? *times[4] : 0;
    out.cpu = cpu;
  }
}

void parse_loadavg(std::string_view text, HostCounters& out) {
  const auto load = number<double>(take_word(text));
  if (load && *load >= 0) out.load = load;
}

void parse_meminfo(std::string_view text, HostCounters& out) {
  const std::string_view whole = text;
  const auto bytes = [whole](std::string_view key) -> std::optional<std::uint64_t> {
    const auto value = value_of(whole, key);
    if (!value || *value > UINT64_MAX / kKibibyte) return std::nullopt;
    return *value * kKibibyte;
  };
  out.memory_total = bytes("MemTotal:");
  out.memory_available = bytes("MemAvailable:");
  out.swap_total = bytes("SwapTotal:");
  out.swap_free = bytes("SwapFree:");
}

void parse_vmstat(std::string_view text, HostCounters& out) {
  out.pages_swapped_in = value_of(text, "pswpin");
  out.pages_swapped_out = value_of(text, "pswpout");
  out.oom_kills = value_of(text, "oom_kill");
}

void parse_diskstats(std::string_view text, HostCounters& out) {
  std::map<std::string, DiskTimes> all;
  while (!text.empty() && all.size() < kDisksMax) {
    std::string_view line = take_line(text);
    take_word(line);  // major
    take_word(line);  // minor
    const std::string name{take_word(line)};
    // reads merged sectors ms, writes merged sectors ms, in flight, busy ms, ...
    const auto fields = numbers(line);
    if (name.empty() || is_made_of_others(name) || fields.size() < 11) continue;
    if (!fields[0] || !fields[3] || !fields[4] || !fields[7] || !fields[9]) continue;
    all[name] = {*fields[0] + *fields[4], *fields[3] + *fields[7], *fields[9]};
  }
  for (const auto& [name, times] : all) {
    const bool part = std::any_of(all.begin(), all.end(), [&name = name](const auto& other) {
      return is_partition_of(name, other.first);
    });
    if (!part) out.disks[name] = times;
  }
}

Stall parse_pressure(std::string_view text) {
  Stall out;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    const std::string_view kind = take_word(line);
    constexpr std::string_view kTotal = "total=";
    for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) {
      if (word.substr(0, kTotal.size()) != kTotal) continue;
      const auto total = number<std::uint64_t>(word.substr(kTotal.size()));
      if (kind == "some") out.some = total;
      if (kind == "full") out.full = total;
    }
  }
  return out;
}

std::vector<std::string> parse_mounts(std::string_view text) {
  std::vector<std::string> out;
  std::set<std::string_view> devices;
  while (!text.empty() && out.size() < kFileSystemsMax) {
    std::string_view line = take_line(text);
    const std::string_view device = take_word(line);
    const std::string_view point = take_word(line);
    if (!holds_data(take_word(line)) || point.empty()) continue;
    if (!devices.insert(device).second) continue;
    out.push_back(unescaped(point));
  }
  return out;
}

HostCounters read_host_counters(const HostRoots& roots, HostGroups groups) {
  HostCounters out;
  if (groups.cpu) {
    parse_stat(text_of(roots.proc, "stat"), out);
    parse_loadavg(text_of(roots.proc, "loadavg"), out);
    read_cgroup_cpu(roots.cgroup, out);
    out.cpu_stall = read_stall(roots, "cpu");
  }
  if (groups.disk) {
    parse_diskstats(text_of(roots.proc, "diskstats"), out);
    out.io_stall = read_stall(roots, "io");
    read_file_systems(roots, out);
  }
  if (groups.memory) {
    parse_meminfo(text_of(roots.proc, "meminfo"), out);
    parse_vmstat(text_of(roots.proc, "vmstat"), out);
    read_cgroup_memory(roots.cgroup, out);
    out.memory_stall = read_stall(roots, "memory");
  }
  return out;
}

}  // namespace meldevakt::agent
