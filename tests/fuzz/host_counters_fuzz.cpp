// What a kernel's files say, whatever they say: every counter is read or left out.
#include "agent/source/host_counters.h"
#include "tests/fuzz/input.h"

int fuzz_host_counters(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = meldevakt::fuzz::text_of(data, size);
  meldevakt::agent::HostCounters counters;
  meldevakt::agent::parse_stat(input, counters);
  meldevakt::agent::parse_loadavg(input, counters);
  meldevakt::agent::parse_meminfo(input, counters);
  meldevakt::agent::parse_vmstat(input, counters);
  meldevakt::agent::parse_diskstats(input, counters);
  static_cast<void>(meldevakt::agent::parse_pressure(input));
  static_cast<void>(meldevakt::agent::parse_mounts(input));
  return 0;
}
