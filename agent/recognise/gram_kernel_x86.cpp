#include "agent/recognise/gram_kernel_x86.h"

#ifdef MELDEVAKT_X86_KERNELS

#include <immintrin.h>

// Every function here is compiled for the instructions it needs, and called only where they are.
// The tables stay in registers over the whole loop: that is what makes it fast, why the loop stands
// in a function of its own, and why its four places are written out: GCC 12 does not unroll them.
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
template <bool kAsciiOnly>
MELDEVAKT_SSE4 inline __m128i place_128(__m128i low_table, __m128i high_table, __m128i nibble,
                                        const char* text) {
  const __m128i bytes = load_128(text);
  const __m128i low = kAsciiOnly ? bytes : _mm_and_si128(bytes, nibble);
  const __m128i high = _mm_and_si128(_mm_srli_epi16(bytes, 4), nibble);
  return _mm_and_si128(_mm_shuffle_epi8(low_table, low), _mm_shuffle_epi8(high_table, high));
}

template <std::size_t kStride, bool kAsciiOnly>
MELDEVAKT_SSE4 inline __m128i buckets_128(const Tables128& tables, __m128i nibble,
                                          const char* text) {
  const __m128i first =
      _mm_and_si128(place_128<kAsciiOnly>(tables.low[0], tables.high[0], nibble, text),
                    place_128<kAsciiOnly>(tables.low[1], tables.high[1], nibble, text + kStride));
  const __m128i last = _mm_and_si128(
      place_128<kAsciiOnly>(tables.low[2], tables.high[2], nibble, text + 2 * kStride),
      place_128<kAsciiOnly>(tables.low[3], tables.high[3], nibble, text + 3 * kStride));
  return _mm_and_si128(first, last);
}

MELDEVAKT_SSE4 inline std::uint64_t not_zero_128(__m128i in) {
  const int zero = _mm_movemask_epi8(_mm_cmpeq_epi8(in, _mm_setzero_si128()));
  return static_cast<std::uint64_t>(~zero & 0xFFFF);
}

template <std::size_t kStride, bool kAsciiOnly>
MELDEVAKT_SSE4 const char* find_sse4(const GramTables& given, const char* at, const char* stop,
                                     std::uint64_t& mask) {
  const Tables128 tables{{load_128(given.low[0].data()), load_128(given.low[1].data()),
                          load_128(given.low[2].data()), load_128(given.low[3].data())},
                         {load_128(given.high[0].data()), load_128(given.high[1].data()),
                          load_128(given.high[2].data()), load_128(given.high[3].data())}};
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

MELDEVAKT_AVX2 inline __m256i broadcast_256(const void* at) {
  return _mm256_broadcastsi128_si256(load_128(at));
}

struct Tables256 {
  __m256i low[kGramPlaces];   // NOLINT: an array of registers
  __m256i high[kGramPlaces];  // NOLINT
};

template <bool kAsciiOnly>
MELDEVAKT_AVX2 inline __m256i place_256(__m256i low_table, __m256i high_table, __m256i nibble,
                                        const char* text) {
  const __m256i bytes = load_256(text);
  const __m256i low = kAsciiOnly ? bytes : _mm256_and_si256(bytes, nibble);
  const __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble);
  return _mm256_and_si256(_mm256_shuffle_epi8(low_table, low),
                          _mm256_shuffle_epi8(high_table, high));
}

template <std::size_t kStride, bool kAsciiOnly>
MELDEVAKT_AVX2 inline __m256i buckets_256(const Tables256& tables, __m256i nibble,
                                          const char* text) {
  const __m256i first = _mm256_and_si256(
      place_256<kAsciiOnly>(tables.low[0], tables.high[0], nibble, text),
      place_256<kAsciiOnly>(tables.low[1], tables.high[1], nibble, text + kStride));
  const __m256i last = _mm256_and_si256(
      place_256<kAsciiOnly>(tables.low[2], tables.high[2], nibble, text + 2 * kStride),
      place_256<kAsciiOnly>(tables.low[3], tables.high[3], nibble, text + 3 * kStride));
  return _mm256_and_si256(first, last);
}

MELDEVAKT_AVX2 inline std::uint64_t not_zero_256(__m256i in) {
  const int zero = _mm256_movemask_epi8(_mm256_cmpeq_epi8(in, _mm256_setzero_si256()));
  return static_cast<std::uint32_t>(~zero);
}

template <std::size_t kStride, bool kAsciiOnly>
MELDEVAKT_AVX2 const char* find_avx2(const GramTables& given, const char* at, const char* stop,
                                     std::uint64_t& mask) {
  const Tables256 tables{
      {broadcast_256(given.low[0].data()), broadcast_256(given.low[1].data()),
       broadcast_256(given.low[2].data()), broadcast_256(given.low[3].data())},
      {broadcast_256(given.high[0].data()), broadcast_256(given.high[1].data()),
       broadcast_256(given.high[2].data()), broadcast_256(given.high[3].data())}};
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

template <bool kAsciiOnly>
MELDEVAKT_AVX512 inline __m512i place_512(__m512i low_table, __m512i high_table, __m512i nibble,
                                          const char* text) {
  const __m512i bytes = _mm512_loadu_si512(text);
  const __m512i low = kAsciiOnly ? bytes : _mm512_and_si512(bytes, nibble);
  const __m512i high = _mm512_and_si512(_mm512_srli_epi16(bytes, 4), nibble);
  return _mm512_and_si512(_mm512_shuffle_epi8(low_table, low),
                          _mm512_shuffle_epi8(high_table, high));
}

template <std::size_t kStride, bool kAsciiOnly>
MELDEVAKT_AVX512 inline __m512i buckets_512(const Tables512& tables, __m512i nibble,
                                            const char* text) {
  const __m512i first = _mm512_and_si512(
      place_512<kAsciiOnly>(tables.low[0], tables.high[0], nibble, text),
      place_512<kAsciiOnly>(tables.low[1], tables.high[1], nibble, text + kStride));
  const __m512i last = _mm512_and_si512(
      place_512<kAsciiOnly>(tables.low[2], tables.high[2], nibble, text + 2 * kStride),
      place_512<kAsciiOnly>(tables.low[3], tables.high[3], nibble, text + 3 * kStride));
  return _mm512_and_si512(first, last);
}

template <std::size_t kStride, bool kAsciiOnly>
MELDEVAKT_AVX512 const char* find_avx512(const GramTables& given, const char* at, const char* stop,
                                         std::uint64_t& mask) {
  const Tables512 tables{
      {broadcast_512(given.low[0].data()), broadcast_512(given.low[1].data()),
       broadcast_512(given.low[2].data()), broadcast_512(given.low[3].data())},
      {broadcast_512(given.high[0].data()), broadcast_512(given.high[1].data()),
       broadcast_512(given.high[2].data()), broadcast_512(given.high[3].data())}};
  const __m512i nibble = _mm512_set1_epi8(0x0F);
  for (; at < stop; at += kKernelBlockBytes) {
    _mm_prefetch(at + kPrefetchBytes, _MM_HINT_T0);
    const __m512i in = buckets_512<kStride, kAsciiOnly>(tables, nibble, at);
    const std::uint64_t candidates = _mm512_test_epi8_mask(in, in);
    if (candidates == 0) continue;
    mask = candidates;
    return at;
  }
  return stop;
}

// Sums over one stretch that a byte can count.
struct Counts256 {
  __m256i lines;   // by byte
  __m256i odd;     // -1 where one is
  __m256i lowest;  // byte of all
};

MELDEVAKT_AVX2 inline void add_bytes_256(Counts256& counts, const char* at) {
  const __m256i bytes = load_256(at);
  counts.lines = _mm256_sub_epi8(counts.lines, _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\n')));
  counts.lowest = _mm256_min_epu8(counts.lowest, bytes);
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
  Counts256 counts{_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_set1_epi8(1)};
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
  const __m256i odd =
      _mm256_or_si256(counts.odd, _mm256_cmpeq_epi8(counts.lowest, _mm256_setzero_si256()));
  return {sums[0] + sums[1] + sums[2] + sums[3], _mm256_testz_si256(odd, odd) == 0};
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
