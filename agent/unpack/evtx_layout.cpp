#include "agent/unpack/evtx_layout.h"

#include <zlib.h>

#include <algorithm>

namespace meldevakt::agent {
namespace {

constexpr std::string_view kFileMagic{"ElfFile\0", kEvtxMagicBytes};
constexpr std::string_view kChunkMagic{"ElfChnk\0", 8};
constexpr std::string_view kRecordMagic{"\x2a\x2a\0\0", 4};

// Of the file's header.
constexpr std::size_t kFlagsAt = 120;
constexpr std::size_t kHeaderSumAt = 124;
constexpr std::uint32_t kOpenFlag = 1;
// Of a chunk's header.
constexpr std::size_t kFirstNumberAt = 8;
constexpr std::size_t kLastNumberAt = 16;
constexpr std::size_t kFirstIdAt = 24;
constexpr std::size_t kLastIdAt = 32;
constexpr std::size_t kLastRecordAt = 44;
constexpr std::size_t kFreeAt = 48;
constexpr std::size_t kRecordsSumAt = 52;
constexpr std::size_t kTablesAt = 128;
// Of a record.
constexpr std::size_t kRecordHeaderBytes = 24;
constexpr std::size_t kRecordBytesMin = kRecordHeaderBytes + 4;

// 100 nanoseconds since 1601.
constexpr std::uint64_t kTicksPerMs = 10'000;
constexpr std::int64_t kMsFrom1601To1970 = 11'644'473'600'000;

std::uint64_t number(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t out = 0;
  for (std::size_t i = size; i > 0; --i) {
    out = out << 8U | static_cast<unsigned char>(bytes[at + i - 1]);
  }
  return out;
}
std::uint32_t u32(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint32_t>(number(bytes, at, 4));
}
std::uint64_t u64(std::string_view bytes, std::size_t at) {
  return number(bytes, at, 8);
}

void put(std::string& bytes, std::size_t at, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    bytes[at + i] = static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
  }
}

std::uint32_t sum(std::string_view bytes, std::uint32_t before = 0) {
  return static_cast<std::uint32_t>(::crc32(before, reinterpret_cast<const Bytef*>(bytes.data()),
                                            static_cast<uInt>(bytes.size())));
}

std::uint32_t header_sum(std::string_view chunk) {
  return sum(chunk.substr(kTablesAt, kEvtxChunkHeaderBytes - kTablesAt),
             sum(chunk.substr(0, kFlagsAt)));
}

std::int64_t written_ms(std::uint64_t ticks) {
  return static_cast<std::int64_t>(ticks / kTicksPerMs) - kMsFrom1601To1970;
}

bool has_record_header(std::string_view bytes, std::size_t at) {
  return bytes.size() >= at + kRecordHeaderBytes &&
         bytes.substr(at, kRecordMagic.size()) == kRecordMagic;
}

// The whole records from the first on.
std::vector<EvtxRecord> walk(std::string_view bytes) {
  std::vector<EvtxRecord> out;
  std::size_t at = kEvtxChunkHeaderBytes;
  while (has_record_header(bytes, at)) {
    const std::uint32_t size = u32(bytes, at + 4);
    if (size < kRecordBytesMin || size > bytes.size() - at) break;
    if (u32(bytes, at + size - 4) != size) break;
    const EvtxRecord record{static_cast<std::uint32_t>(at), size, u64(bytes, at + 8),
                            written_ms(u64(bytes, at + 16))};
    // What a chunk that is used again held before may go on behind what it holds now.
    if (!out.empty() && record.id != out.back().id + 1) break;
    out.push_back(record);
    at += size;
  }
  return out;
}

bool is_what_it_says(std::string_view bytes, const std::vector<EvtxRecord>& records) {
  const std::uint32_t free = u32(bytes, kFreeAt);
  if (bytes.size() < kEvtxChunkBytes || free < kEvtxChunkHeaderBytes || free > kEvtxChunkBytes) {
    return false;
  }
  if (u32(bytes, kHeaderSumAt) != header_sum(bytes)) return false;
  if (u32(bytes, kRecordsSumAt) !=
      sum(bytes.substr(kEvtxChunkHeaderBytes, free - kEvtxChunkHeaderBytes))) {
    return false;
  }
  const std::size_t end =
      records.empty() ? kEvtxChunkHeaderBytes : records.back().offset + records.back().size;
  return end == free;
}

}  // namespace

bool is_evtx(std::string_view first_bytes) {
  return first_bytes.substr(0, kFileMagic.size()) == kFileMagic;
}

bool is_evtx_open(std::string_view header) {
  if (header.size() < kHeaderSumAt + 4) return true;
  if (u32(header, kHeaderSumAt) != sum(header.substr(0, kFlagsAt))) return true;
  return (u32(header, kFlagsAt) & kOpenFlag) != 0;
}

EvtxChunkStart look_at_start(std::string_view bytes) {
  EvtxChunkStart out;
  if (bytes.size() < kEvtxChunkLookBytes || bytes.substr(0, kChunkMagic.size()) != kChunkMagic) {
    out.empty = std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\0'; });
    return out;
  }
  if (has_record_header(bytes, kEvtxChunkHeaderBytes)) {
    out.first_id = u64(bytes, kEvtxChunkHeaderBytes + 8);
    out.first_written_ms = written_ms(u64(bytes, kEvtxChunkHeaderBytes + 16));
  } else {
    out.first_id = u64(bytes, kFirstIdAt);
  }
  return out;
}

EvtxChunk look_at_chunk(std::string_view bytes) {
  bytes = bytes.substr(0, kEvtxChunkBytes);
  EvtxChunk out;
  if (bytes.size() < kEvtxChunkHeaderBytes || bytes.substr(0, kChunkMagic.size()) != kChunkMagic) {
    const bool is_room = std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\0'; });
    if (is_room) out.state = EvtxChunkState::kEmpty;
    return out;
  }
  out.records = walk(bytes);
  if (is_what_it_says(bytes, out.records)) {
    out.state = out.records.empty() ? EvtxChunkState::kEmpty : EvtxChunkState::kWhole;
  } else if (!out.records.empty()) {
    out.state = EvtxChunkState::kUnlike;
  }
  return out;
}

std::string alone_in_a_file(std::string_view bytes, const EvtxChunk& chunk) {
  std::string out(kEvtxHeaderBytes + kEvtxChunkBytes, '\0');
  kFileMagic.copy(out.data(), kFileMagic.size());
  const std::uint64_t last_id = chunk.records.empty() ? 0 : chunk.records.back().id;
  put(out, 24, last_id + 1, 8);
  put(out, 32, kTablesAt, 4);
  put(out, 36, 1, 2);
  put(out, 38, 3, 2);
  put(out, 40, kEvtxHeaderBytes, 2);
  put(out, 42, 1, 2);
  put(out, kHeaderSumAt, sum(std::string_view{out}.substr(0, kFlagsAt)), 4);

  std::string body{bytes.substr(0, kEvtxChunkBytes)};
  body.resize(kEvtxChunkBytes, '\0');
  const std::size_t end = chunk.records.empty()
                              ? kEvtxChunkHeaderBytes
                              : chunk.records.back().offset + chunk.records.back().size;
  std::fill(body.begin() + static_cast<std::ptrdiff_t>(end), body.end(), '\0');
  if (!chunk.records.empty()) {
    put(body, kFirstNumberAt, chunk.records.front().id, 8);
    put(body, kLastNumberAt, last_id, 8);
    put(body, kFirstIdAt, chunk.records.front().id, 8);
    put(body, kLastIdAt, last_id, 8);
    put(body, kLastRecordAt, chunk.records.back().offset, 4);
  }
  put(body, 40, kTablesAt, 4);
  put(body, kFreeAt, end, 4);
  put(body, kFlagsAt, 0, 4);
  put(body, kRecordsSumAt,
      sum(std::string_view{body}.substr(kEvtxChunkHeaderBytes, end - kEvtxChunkHeaderBytes)), 4);
  put(body, kHeaderSumAt, header_sum(body), 4);
  out.replace(kEvtxHeaderBytes, kEvtxChunkBytes, body);
  return out;
}

}  // namespace meldevakt::agent
