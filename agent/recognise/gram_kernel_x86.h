// The paths of gram_kernel.h for x86 processors. Private to gram_kernel*.cpp.
#pragma once

#include "agent/recognise/gram_kernel.h"

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define MELDEVAKT_X86_KERNELS 1
#if !defined(MELDEVAKT_NARROW_KERNELS)
#define MELDEVAKT_X86_WIDE_KERNELS 1
#endif
#endif

namespace meldevakt::agent {

#ifdef MELDEVAKT_X86_KERNELS
[[nodiscard]] FindBlock* find_block_sse4(const GramTables& tables);
#endif
#ifdef MELDEVAKT_X86_WIDE_KERNELS
[[nodiscard]] FindBlock* find_block_avx2(const GramTables& tables);
[[nodiscard]] FindBlock* find_block_avx512(const GramTables& tables);
// Of whole blocks.
[[nodiscard]] LineCount count_lines_avx2(const char* at, const char* stop, std::size_t unit);
#endif

}  // namespace meldevakt::agent
