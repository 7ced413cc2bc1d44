#include "common/platform/process_meter.h"

#include <malloc.h>
#include <unistd.h>

#include <cstdint>
#include <ctime>
#include <string>

#include "common/base/check.h"
#include "common/base/text.h"
#include "common/platform/disk.h"

namespace meldevakt {

std::int64_t SystemProcessMeter::cpu_ns() {
  timespec at{};
  MELDEVAKT_CHECK(::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at) == 0);
  return std::int64_t{at.tv_sec} * 1'000'000'000 + at.tv_nsec;
}

// "size resident shared text lib data dt", in pages.
std::uint64_t SystemProcessMeter::resident_bytes() {
  const Result<std::string> text = read_file("/proc/self/statm", 256);
  if (!text) return 0;
  const std::string& words = text.value();
  const std::size_t first = words.find(' ');
  if (first == std::string::npos) return 0;
  const std::size_t second = words.find(' ', first + 1);
  const auto pages = parse_u64(std::string_view{words}.substr(first + 1, second - first - 1));
  const long page_bytes = ::sysconf(_SC_PAGESIZE);
  return pages && page_bytes > 0 ? *pages * static_cast<std::uint64_t>(page_bytes) : 0;
}

void SystemProcessMeter::trim() {
  ::malloc_trim(0);
}

}  // namespace meldevakt
