// How an .evtx file lies on disk: a header of 4 KiB, then chunks of 64 KiB, each with its records
// and everything that showing them needs. Nothing here looks into a record: evtx_render.h does.
//
//   const EvtxChunk chunk = look_at_chunk(bytes);
//   for (const EvtxRecord& record : chunk.records) { ... record.id, record.written_ms ... }
//   const std::string alone = alone_in_a_file(bytes, chunk);    // with only what was found whole
//
// Rules: the layout of "Windows XML Event Log (EVTX) format" (libevtx's documentation): numbers are
// little-endian, checksums CRC-32; a record begins with 2A 2A 00 00, its size stands behind that
// and again at its end. Of a chunk that is still being written header and checksum may be older
// than its records, so these are found by walking from one to the next as far as they are whole and
// their numbers go on.
//
// Pure. Thread-safety: pure functions. Errors: none; what is damaged is said in the value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace meldevakt::agent {

inline constexpr std::size_t kEvtxMagicBytes = 8;
inline constexpr std::size_t kEvtxHeaderBytes = 4096;
inline constexpr std::size_t kEvtxChunkBytes = 65'536;
inline constexpr std::size_t kEvtxChunkHeaderBytes = 512;
// With it a file has 4 GiB, which is the most that Windows makes of one.
inline constexpr std::size_t kEvtxChunksMax = 65'536;

[[nodiscard]] bool is_evtx(std::string_view first_bytes);

// Of the header: whether the log was being written, or was not closed. A header that cannot be read
// counts as that: nothing else stands in it that is needed.
[[nodiscard]] bool is_evtx_open(std::string_view header);

struct EvtxRecord {
  std::uint32_t offset = 0;  // in the chunk
  std::uint32_t size = 0;
  std::uint64_t id = 0;         // in this file
  std::int64_t written_ms = 0;  // since 1970, UTC
};

enum class EvtxChunkState : std::uint8_t {
  kEmpty,    // room that was not used yet
  kWhole,    // it is what its checksums say
  kUnlike,   // its records are whole as far as they go; its header and checksums say otherwise
  kDamaged,  // no chunk, or no record of it is whole
};

struct EvtxChunk {
  EvtxChunkState state = EvtxChunkState::kDamaged;
  std::vector<EvtxRecord> records;  // those that are whole, up to the first that is not
};

// The first bytes of a chunk: its header and at least its first record's number and time.
inline constexpr std::size_t kEvtxChunkLookBytes = kEvtxChunkHeaderBytes + 24;
struct EvtxChunkStart {
  bool empty = false;
  std::uint64_t first_id = 0;
  std::int64_t first_written_ms = 0;
};
[[nodiscard]] EvtxChunkStart look_at_start(std::string_view bytes);

// `bytes`: a chunk's, or fewer where the file ends.
[[nodiscard]] EvtxChunk look_at_chunk(std::string_view bytes);

// A closed .evtx file that holds this chunk's records and nothing else of it.
[[nodiscard]] std::string alone_in_a_file(std::string_view bytes, const EvtxChunk& chunk);

}  // namespace meldevakt::agent
