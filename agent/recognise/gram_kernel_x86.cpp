#include "agent/recognise/gram_kernel_x86.h"

#ifdef MELDEVAKT_X86_KERNELS

#include <immintrin.h>

// Every function here is compiled for the instructions it needs, and called only where they are.
// The tables stay in registers over the whole loop: that is what makes it fast, and why the loop
// stands in a function of its own.
#define MELDEVAKT_SSE4 __attribute__((target("sse4.1")))
#define MELDEVAKT_AVX2 __attribute__((target("avx2")))
#define MELDEVAKT_AVX512 __attribute__((target("avx512bw")))

namespace meldevakt::agent {
namespace {

// Ahead of reading mapped memory; where the text is in the cache already it costs nothing.
constexpr std::size_t kPrefetchBytes = 16 * 1024;

MELDEVAKT_SSE4 inline __m128i load_128(const void* at) {
  return _mm_loadu_si128(static_cast<const __m128i*>(at));
}

struct Tables128 {
  __m128i low[kGramPlaces];   // NOLINT: an array of registers
  __m128i high[kGramPlaces];  // NOLINT
};

// A shuffle takes index bits 0-3 and gives 0 where bit 7 is set: with tables that allow ASCII only
// the low nibble needs no masking.
template <std::size_t kStride, bool kAsciiOnly>
MELDEVAKT_SSE4 inline __m128i buckets_128(const Tables128& tables, __m128i nibble,
                                          const char* text) {
  __m128i in = _mm_set1_epi8(-1);
  for (std::size_t place = 0; place < kGramPlaces; ++place) {
    const __m128i bytes = load_128(text + place * kStride);
    const __m128i low = kAsciiOnly ? bytes : _mm_and_si128(bytes, nibble);
    const __m128i high = _mm_and_si128(_mm_srli_epi16(bytes, 4), nibble);
    in = _mm_and_si128(in, _mm_and_si128(_mm_shuffle_epi8(tables.low[place], low),
                                         _mm_shuffle_epi8(tables.high[place], high)));
  }
  return in;
}

MELDEVAKT_SSE4 inline std::uint64_t not_zero_128(__m128i in) {
  const int zero = _mm_movemask_epi8(_mm_cmpeq_epi8(in, _mm_setzero_si128()));
  return static_cast<std::uint64_t>(~zero & 0xFFFF);
}

template <std::size_t kStride, bool kAsciiOnly>
MELDEVAKT_SSE4 const char* find_sse4(const GramTables& given, const char* at, const char* stop,
                                     std::uint64_t& mask) {
  Tables128 tables;
  for (std::size_t place = 0; place < kGramPlaces; ++place) {
    tables.low[place] = load_128(given.low[place].data());
    tables.high[place] = load_128(given.high[place].data());
  }
  const __m128i nibble = _mm_set1_epi8(0x0F);
  for (; at < stop; at += kKernelBlockBytes) {
    _mm_prefetch(at + kPrefetchBytes, _MM_HINT_T0);
    const __m128i a = buckets_128<kStride, kAsciiOnly>(tables, nibble, at);
    const __m128i b = buckets_128<kStride, kAsciiOnly>(tables, nibble, at + 16);
    const __m128i c = buckets_128<kStride, kAsciiOnly>(tables, nibble, at + 32);
    const __m128i d = buckets_128<kStride, kAsciiOnly>(tables, nibble, at + 48);
    const __m128i any = _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d));
    if (_mm_testz_si128(any, any) != 0) continue;
    mask = not_zero_128(a) | (not_zero_128(b) << 16U) | (not_zero_128(c) << 32U) |
           (not_zero_128(d) << 48U);
    return at;
  }
  return stop;
}

}  // namespace

FindBlock* find_block_sse4(const GramTables& tables) {
  if (tables.stride == 2) return tables.ascii_only ? find_sse4<2, true> : find_sse4<2, false>;
  return tables.ascii_only ? find_sse4<1, true> : find_sse4<1, false>;
}

#ifdef MELDEVAKT_X86_WIDE_KERNELS

namespace {

MELDEVAKT_AVX2 inline __m256i load_256(const void* at) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(at));
}

struct Tables256 {
  __m256i low[kGramPlaces];   // NOLINT: an array of registers
  __m256i high[kGramPlaces];  // NOLINT
};

template <std::size_t kStride, bool kAsciiOnly>
MELDEVAKT_AVX2 inline __m256i buckets_256(const Tables256& tables, __m256i nibble,
                                          const char* text) {
  __m256i in = _mm256_set1_epi8(-1);
  for (std::size_t place = 0; place < kGramPlaces; ++place) {
    const __m256i bytes = load_256(text + place * kStride);
    const __m256i low = kAsciiOnly ? bytes : _mm256_and_si256(bytes, nibble);
    const __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble);
    in = _mm256_and_si256(in, _mm256_and_si256(_mm256_shuffle_epi8(tables.low[place], low),
                                               _mm256_shuffle_epi8(tables.high[place], high)));
  }
  return in;
}

MELDEVAKT_AVX2 inline std::uint64_t not_zero_256(__m256i in) {
  const int zero = _mm256_movemask_epi8(_mm256_cmpeq_epi8(in, _mm256_setzero_si256()));
  return static_cast<std::uint32_t>(~zero);
}

template <std::size_t kStride, bool kAsciiOnly>
MELDEVAKT_AVX2 const char* find_avx2(const GramTables& given, const char* at, const char* stop,
                                     std::uint64_t& mask) {
  Tables256 tables;
  for (std::size_t place = 0; place < kGramPlaces; ++place) {
    tables.low[place] = _mm256_broadcastsi128_si256(load_128(given.low[place].data()));
    tables.high[place] = _mm256_broadcastsi128_si256(load_128(given.high[place].data()));
  }
  const __m256i nibble = _mm256_set1_epi8(0x0F);
  for (; at < stop; at += kKernelBlockBytes) {
    _mm_prefetch(at + kPrefetchBytes, _MM_HINT_T0);
    const __m256i a = buckets_256<kStride, kAsciiOnly>(tables, nibble, at);
    const __m256i b = buckets_256<kStride, kAsciiOnly>(tables, nibble, at + 32);
    const __m256i any = _mm256_or_si256(a, b);
    if (_mm256_testz_si256(any, any) != 0) continue;
    mask = not_zero_256(a) | (not_zero_256(b) << 32U);
    return at;
  }
  return stop;
}

// The masked form of the broadcast: GCC 12 warns of its own header in the plain one.
MELDEVAKT_AVX512 inline __m512i broadcast_512(const void* at) {
  return _mm512_maskz_broadcast_i32x4(0xFFFF, load_128(at));
}

struct Tables512 {
  __m512i low[kGramPlaces];   // NOLINT: an array of registers
  __m512i high[kGramPlaces];  // NOLINT
};

template <std::size_t kStride, bool kAsciiOnly>
MELDEVAKT_AVX512 const char* find_avx512(const GramTables& given, const char* at, const char* stop,
                                         std::uint64_t& mask) {
  Tables512 tables;
  for (std::size_t place = 0; place < kGramPlaces; ++place) {
    tables.low[place] = broadcast_512(given.low[place].data());
    tables.high[place] = broadcast_512(given.high[place].data());
  }
  const __m512i nibble = _mm512_set1_epi8(0x0F);
  for (; at < stop; at += kKernelBlockBytes) {
    _mm_prefetch(at + kPrefetchBytes, _MM_HINT_T0);
    __m512i in = _mm512_set1_epi8(-1);
    for (std::size_t place = 0; place < kGramPlaces; ++place) {
      const __m512i bytes = _mm512_loadu_si512(at + place * kStride);
      const __m512i low = kAsciiOnly ? bytes : _mm512_and_si512(bytes, nibble);
      const __m512i high = _mm512_and_si512(_mm512_srli_epi16(bytes, 4), nibble);
      in = _mm512_and_si512(in, _mm512_and_si512(_mm512_shuffle_epi8(tables.low[place], low),
                                                 _mm512_shuffle_epi8(tables.high[place], high)));
    }
    const std::uint64_t candidates = _mm512_test_epi8_mask(in, in);
    if (candidates == 0) continue;
    mask = candidates;
    return at;
  }
  return stop;
}

// Sums over one stretch that a byte can count.
struct Counts256 {
  __m256i lines;  // by byte
  __m256i odd;    // -1 where one is
};

MELDEVAKT_AVX2 inline void add_bytes_256(Counts256& counts, const char* at) {
  const __m256i bytes = load_256(at);
  counts.lines = _mm256_sub_epi8(counts.lines, _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\n')));
  counts.odd = _mm256_or_si256(counts.odd, _mm256_cmpeq_epi8(bytes, _mm256_setzero_si256()));
}

MELDEVAKT_AVX2 inline void add_units_256(Counts256& counts, const char* at) {
  const __m256i units = load_256(at);
  const __m256i ends = _mm256_and_si256(_mm256_cmpeq_epi16(units, _mm256_set1_epi16('\n')),
                                        _mm256_set1_epi16(0x00FF));
  counts.lines = _mm256_sub_epi8(counts.lines, ends);
  const __m256i high = _mm256_srli_epi16(units, 8);
  counts.odd = _mm256_or_si256(counts.odd, _mm256_cmpgt_epi16(high, _mm256_set1_epi16(0x20)));
}

template <void (*add)(Counts256&, const char*)>
MELDEVAKT_AVX2 LineCount count_256(const char* at, const char* stop) {
  constexpr std::size_t kBlocksMax = 255 / 2;  // then a byte of the sum could overflow
  __m256i total = _mm256_setzero_si256();
  Counts256 counts{_mm256_setzero_si256(), _mm256_setzero_si256()};
  while (at < stop) {
    counts.lines = _mm256_setzero_si256();
    for (std::size_t i = 0; i < kBlocksMax && at < stop; ++i, at += kKernelBlockBytes) {
      add(counts, at);
      add(counts, at + 32);
    }
    total = _mm256_add_epi64(total, _mm256_sad_epu8(counts.lines, _mm256_setzero_si256()));
  }
  alignas(32) std::uint64_t sums[4];  // NOLINT: as the register
  _mm256_store_si256(static_cast<__m256i*>(static_cast<void*>(sums)), total);
  return {sums[0] + sums[1] + sums[2] + sums[3], _mm256_testz_si256(counts.odd, counts.odd) == 0};
}

}  // namespace

FindBlock* find_block_avx2(const GramTables& tables) {
  if (tables.stride == 2) return tables.ascii_only ? find_avx2<2, true> : find_avx2<2, false>;
  return tables.ascii_only ? find_avx2<1, true> : find_avx2<1, false>;
}

FindBlock* find_block_avx512(const GramTables& tables) {
  if (tables.stride == 2) return tables.ascii_only ? find_avx512<2, true> : find_avx512<2, false>;
  return tables.ascii_only ? find_avx512<1, true> : find_avx512<1, false>;
}

LineCount count_lines_avx2(const char* at, const char* stop, std::size_t unit) {
  return unit == 1 ? count_256<add_bytes_256>(at, stop) : count_256<add_units_256>(at, stop);
}

#endif  // MELDEVAKT_X86_WIDE_KERNELS

}  // namespace meldevakt::agent

#endif  // MELDEVAKT_X86_KERNELS
