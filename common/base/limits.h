// Named bounds of everything that crosses a border between programs. A bound that belongs to one
// component only stands in that component's header. Reaching a bound is an ordinary, counted
// outcome.
#pragma once

#include <cstddef>
#include <cstdint>

namespace meldevakt::limits {

// One signed statement, plain JSON. The design says 16 kB; an agent with as many sources as it may
// have, whose packs observe twenty signals each, needs twice that. An envelope stays below 2^16
// bytes, which is what an entry of a tiled log (C2SP tlog-tiles) can hold.
inline constexpr std::size_t kStatementBytesMax = 46 * 1024;
// A DSSE envelope around it: Base64 (4/3) and the fixed members.
inline constexpr std::size_t kEnvelopeBytesMax = 63 * 1024;
// One body, decompressed. Also the largest output ever asked of the decompressor.
inline constexpr std::size_t kBodyPlainBytesMax = 8 * 1024 * 1024;
// One body as shipped.
inline constexpr std::size_t kBodyPackedBytesMax = 2 * 1024 * 1024;
inline constexpr std::size_t kBodiesPerStatementMax = 8;
inline constexpr std::size_t kFactsPerBodyMax = 20'000;
inline constexpr std::size_t kFrameBytesMax = 4 * 1024 * 1024;
// zstd window: 2^23 = 8 MiB; larger windows are refused before any output.
inline constexpr int kZstdWindowLogMax = 23;

inline constexpr std::size_t kSourcesPerAgentMax = 32;
inline constexpr std::size_t kReferencesPerFactMax = 8;
inline constexpr std::size_t kCandidatesPerFactMax = 16;
inline constexpr std::size_t kIdentifierBytesMax = 64;  // names of sources, packs, rules, codes

static_assert(kStatementBytesMax * 4 / 3 + 1024 <= kEnvelopeBytesMax);
static_assert(kEnvelopeBytesMax < 65'536);
static_assert(kEnvelopeBytesMax + kBodyPackedBytesMax <= kFrameBytesMax);

}  // namespace meldevakt::limits
