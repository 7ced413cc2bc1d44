#include "agent/recognise/gram_kernel.h"

#include "agent/recognise/gram_kernel_x86.h"

namespace meldevakt::agent {
namespace {

const char* find_portable(const GramTables& tables, const char* at, const char* stop,
                          std::uint64_t& mask) {
  const auto buckets = [&tables](std::size_t place, char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    return tables.low[place][byte & 0x0FU] & tables.high[place][byte >> 4U];
  };
  const std::size_t stride = tables.stride;
  for (; at < stop; at += kKernelBlockBytes) {
    mask = 0;
    for (std::size_t i = 0; i < kKernelBlockBytes; ++i) {
      int in = buckets(0, at[i]);
      for (std::size_t place = 1; in != 0 && place < kGramPlaces; ++place) {
        in &= buckets(place, at[i + place * stride]);
      }
      mask |= static_cast<std::uint64_t>(in != 0) << i;
    }
    if (mask != 0) return at;
  }
  return stop;
}

void count_portable(std::string_view text, std::size_t unit, LineCount& count) {
  if (unit == 1) {
    for (const char c : text) {
      count.newlines += static_cast<std::uint64_t>(c == '\n');
      count.odd |= c == '\0';
    }
    return;
  }
  for (std::size_t at = 0; at + 1 < text.size(); at += 2) {
    count.newlines += static_cast<std::uint64_t>(text[at] == '\n' && text[at + 1] == '\0');
    count.odd |= static_cast<std::uint8_t>(text[at + 1]) > 0x20;
  }
}

bool has(CpuPath path) {
#ifdef MELDEVAKT_X86_KERNELS
  if (path == CpuPath::kSse4) return __builtin_cpu_supports("sse4.1") != 0;
#endif
#ifdef MELDEVAKT_X86_WIDE_KERNELS
  if (path == CpuPath::kAvx2) return __builtin_cpu_supports("avx2") != 0;
  if (path == CpuPath::kAvx512) return __builtin_cpu_supports("avx512bw") != 0;
#endif
  return path == CpuPath::kPortable;
}

}  // namespace

std::string_view to_string(CpuPath path) {
  switch (path) {
    case CpuPath::kPortable: return "portable";
    case CpuPath::kSse4: return "sse4.1";
    case CpuPath::kAvx2: return "avx2";
    case CpuPath::kAvx512: return "avx512bw";
  }
  return "";
}

std::vector<CpuPath> cpu_paths() {
  std::vector<CpuPath> paths;
  for (const CpuPath path :
       {CpuPath::kPortable, CpuPath::kSse4, CpuPath::kAvx2, CpuPath::kAvx512}) {
    if (has(path)) paths.push_back(path);
  }
  return paths;
}

CpuPath best_cpu_path() {
  static const CpuPath best = cpu_paths().back();
  return best;
}

FindBlock* find_block(CpuPath path, const GramTables& tables) {
#ifdef MELDEVAKT_X86_KERNELS
  if (path == CpuPath::kSse4) return find_block_sse4(tables);
#endif
#ifdef MELDEVAKT_X86_WIDE_KERNELS
  if (path == CpuPath::kAvx2) return find_block_avx2(tables);
  if (path == CpuPath::kAvx512) return find_block_avx512(tables);
#endif
  static_cast<void>(path);
  static_cast<void>(tables);
  return find_portable;
}

LineCount count_lines(CpuPath path, std::string_view text, std::size_t unit) {
  LineCount count;
#ifdef MELDEVAKT_X86_WIDE_KERNELS
  if (path == CpuPath::kAvx2 || path == CpuPath::kAvx512) {
    const std::size_t whole = text.size() / kKernelBlockBytes * kKernelBlockBytes;
    count = count_lines_avx2(text.data(), text.data() + whole, unit);
    text.remove_prefix(whole);
  }
#endif
  static_cast<void>(path);
  count_portable(text, unit, count);
  return count;
}

}  // namespace meldevakt::agent
