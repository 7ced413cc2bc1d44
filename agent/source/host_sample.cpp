#include "agent/source/host_sample.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

namespace meldevakt::agent {
namespace {

constexpr int kDecimals = 3;
using Count = std::optional<std::uint64_t>;

double ratio(std::uint64_t part, std::uint64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

// How much a counter grew; nothing when it is not there or has gone back.
Count growth(Count before, Count now) {
  if (!before || !now || *now < *before) return std::nullopt;
  return *now - *before;
}

class SampleWriter {
 public:
  SampleWriter(Instant time, Duration interval) : interval_{interval} {
    text_ = "{\"sampled_at\":\"" + to_rfc3339(time) + "\"";
    add("interval_s", static_cast<double>(interval.ms) / 1000);
  }
  void add(std::string_view name, double value) {
    std::array<char, 400> digits{};
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value,
                                            std::chars_format::fixed, kDecimals);
    if (error != std::errc{}) return;
    text_.append(",\"").append(name).append("\":").append(digits.data(), end);
  }
  void percent(std::string_view name, double share) {
    add(name, 100 * std::clamp(share, 0.0, 1.0));
  }
  // A counter of microseconds as its share of the interval.
  void stalled(std::string_view name, Count before, Count now) {
    const Count grown = growth(before, now);
    if (grown && interval_.ms > 0) {
      percent(name, ratio(*grown, static_cast<std::uint64_t>(interval_.ms) * 1000));
    }
  }
  void a_second(std::string_view name, Count before, Count now) {
    const Count grown = growth(before, now);
    if (grown && interval_.ms > 0) {
      add(name, 1000 * ratio(*grown, static_cast<std::uint64_t>(interval_.ms)));
    }
  }
  [[nodiscard]] Duration interval() const { return interval_; }
  [[nodiscard]] std::string done() && { return std::move(text_) + "}\n"; }

 private:
  Duration interval_;
  std::string text_;
};

void write_cpu(const HostCounters& before, const HostCounters& now, SampleWriter& out) {
  std::optional<double> busy;
  if (before.cpu && now.cpu) {
    const CpuTimes& a = *before.cpu;
    const CpuTimes& b = *now.cpu;
    // A processor that was taken out takes its times with it.
    const bool grew = b.total > a.total && b.idle >= a.idle && b.iowait >= a.iowait;
    const std::uint64_t total = grew ? b.total - a.total : 0;
    const std::uint64_t idle = grew ? b.idle - a.idle : 0;
    const std::uint64_t waited = grew ? b.iowait - a.iowait : 0;
    if (total > 0 && idle + waited <= total) {
      busy = ratio(total - idle - waited, total);
      out.percent("cpu.iowait", ratio(waited, total));
    }
  }
  const Count used = growth(before.cpu_used_us, now.cpu_used_us);
  if (used && now.cpu_limit && out.interval().ms > 0) {
    const double may = *now.cpu_limit * static_cast<double>(out.interval().ms) * 1000;
    busy = std::max(busy.value_or(0), static_cast<double>(*used) / may);
  }
  if (busy) out.percent("cpu.busy", *busy);
  out.stalled("cpu.throttled", before.cpu_throttled_us, now.cpu_throttled_us);
}

void write_stalls(const HostCounters& before, const HostCounters& now, SampleWriter& out) {
  out.stalled("psi.cpu.some", before.cpu_stall.some, now.cpu_stall.some);
  out.stalled("psi.cpu.full", before.cpu_stall.full, now.cpu_stall.full);
  out.stalled("psi.io.some", before.io_stall.some, now.io_stall.some);
  out.stalled("psi.io.full", before.io_stall.full, now.io_stall.full);
  out.stalled("psi.memory.some", before.memory_stall.some, now.memory_stall.some);
  out.stalled("psi.memory.full", before.memory_stall.full, now.memory_stall.full);
}

void write_disks(const HostCounters& before, const HostCounters& now, SampleWriter& out) {
  std::optional<double> busy;
  std::optional<double> wait;
  for (const auto& [name, b] : now.disks) {
    const auto found = before.disks.find(name);
    if (found == before.disks.end()) continue;
    const DiskTimes& a = found->second;
    const Count busy_ms = growth(a.busy_ms, b.busy_ms);
    const Count waited_ms = growth(a.waited_ms, b.waited_ms);
    const Count operations = growth(a.operations, b.operations);
    if (busy_ms && out.interval().ms > 0) {
      const double share = ratio(*busy_ms, static_cast<std::uint64_t>(out.interval().ms));
      busy = std::max(busy.value_or(0), share);
    }
    if (waited_ms && operations && *operations >= kOperationsMin) {
      wait = std::max(wait.value_or(0), ratio(*waited_ms, *operations));
    }
  }
  if (busy) out.percent("disk.busy", *busy);
  if (wait) out.add("disk.wait", *wait);
}

void write_space(const HostCounters& now, SampleWriter& out) {
  std::optional<double> free;
  std::optional<double> files;
  for (const FileSystemSpace& space : now.file_systems) {
    free = std::min(free.value_or(1), ratio(space.blocks_free, space.blocks));
    if (space.files > 0) {
      files = std::min(files.value_or(1), ratio(space.files_free, space.files));
    }
  }
  if (free) out.percent("disk.free", *free);
  if (files) out.percent("disk.files_free", *files);
}

void write_memory(const HostCounters& now, SampleWriter& out) {
  std::optional<double> available;
  if (now.memory_total && now.memory_available && *now.memory_total > 0) {
    available = ratio(*now.memory_available, *now.memory_total);
  }
  if (now.memory_limit && now.memory_used) {
    const double left = 1 - std::min(1.0, ratio(*now.memory_used, *now.memory_limit));
    available = std::min(available.value_or(1), left);
  }
  if (available) out.percent("memory.available", *available);
  if (now.swap_total && now.swap_free && *now.swap_total > 0) {
    out.percent("memory.swap_used", 1 - ratio(*now.swap_free, *now.swap_total));
  }
}

}  // namespace

std::string host_sample(const HostCounters* before, const HostCounters& now, Instant time,
                        Duration interval) {
  SampleWriter out{time, before == nullptr ? Duration{0} : interval};
  const HostCounters none;
  const HostCounters& then = before == nullptr ? none : *before;
  write_cpu(then, now, out);
  if (now.load && now.processors > 0) out.add("cpu.load", *now.load / now.processors);
  write_stalls(then, now, out);
  write_disks(then, now, out);
  write_space(now, out);
  write_memory(now, out);
  out.a_second("memory.swap_in", then.pages_swapped_in, now.pages_swapped_in);
  out.a_second("memory.swap_out", then.pages_swapped_out, now.pages_swapped_out);
  if (const Count kills = growth(then.oom_kills, now.oom_kills)) {
    out.add("memory.oom_kills", static_cast<double>(*kills));
  }
  return std::move(out).done();
}

}  // namespace meldevakt::agent
