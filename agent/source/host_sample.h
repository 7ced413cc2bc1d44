// One sample of this host as one line of text: the record of the pack `host-metrics`.
//
//   {"sampled_at":"2023-02-01T03:14:22.101Z","interval_s":10.0,"cpu.busy":12.4,"psi.io.full":0.2,...}
//
//   cpu.busy cpu.iowait cpu.throttled   percent of the interval; in a container with a limit,
//                                       of what it may use, if that is more
//   cpu.load                            processes that run or wait, a processor
//   psi.cpu.some psi.cpu.full psi.io.some psi.io.full psi.memory.some psi.memory.full
//                                       percent of the interval that some, or all, had to wait
//   disk.busy                           percent, of the busiest disk
//   disk.wait                           milliseconds an operation, of the slowest disk with at
//                                       least kOperationsMin of them
//   disk.free disk.files_free           percent, of the fullest file system
//   memory.available memory.swap_used   percent
//   memory.swap_in memory.swap_out      pages a second
//   memory.oom_kills                    in the interval
//
// Numbers only: no name of a host, a disk or a file system. A member that could not be had is left
// out: there is no reading before, or the counter has gone back (it was reset, or wrapped).
// Pure. Thread-safety: pure functions. Errors: none.
#pragma once

#include <string>

#include "agent/source/host_counters.h"
#include "common/base/time.h"

namespace meldevakt::agent {

inline constexpr std::uint64_t kOperationsMin = 5;

// `before`: of `interval` earlier; nullptr when there is none. With the line's end.
[[nodiscard]] std::string host_sample(const HostCounters* before, const HostCounters& now,
                                      Instant time, Duration interval);

}  // namespace meldevakt::agent
