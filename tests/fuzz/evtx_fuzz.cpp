// An .evtx file as others wrote it: each event is handed on once and within the file, a chunk alone
// in a file is one that its own checksums agree with, and damage never ends the reading. libevtx
// itself works in a process of its own (evtx_render.h) and is not called here.
#include <algorithm>
#include <string>

#include "agent/unpack/evtx_events.h"
#include "common/base/check.h"
#include "tests/fuzz/input.h"

namespace {

using meldevakt::agent::EvtxChunkState;
using meldevakt::agent::EvtxRecord;
using meldevakt::agent::kEvtxChunkBytes;
using meldevakt::agent::kEvtxChunkHeaderBytes;
using meldevakt::agent::kEvtxHeaderBytes;

meldevakt::Result<std::vector<std::string>> show(std::string_view file,
                                                 const std::vector<EvtxRecord>& records) {
  MELDEVAKT_CHECK(file.size() == kEvtxHeaderBytes + kEvtxChunkBytes);
  MELDEVAKT_CHECK(!meldevakt::agent::is_evtx_open(file));
  const auto again = meldevakt::agent::look_at_chunk(file.substr(kEvtxHeaderBytes));
  MELDEVAKT_CHECK(again.state == EvtxChunkState::kWhole);
  MELDEVAKT_CHECK(again.records.size() == records.size());
  std::size_t end = kEvtxChunkHeaderBytes;
  std::vector<std::string> out;
  for (const EvtxRecord& record : records) {
    MELDEVAKT_CHECK(record.offset == end);
    end += record.size;
    out.push_back(record.id % 5 == 4 ? "" : "<Event>" + std::to_string(record.id) + "</Event>");
  }
  MELDEVAKT_CHECK(end <= kEvtxChunkBytes);
  return out;
}

}  // namespace

int fuzz_evtx(const std::uint8_t* data, std::size_t size) {
  using meldevakt::agent::EvtxEvents;
  // The seeds are short: between a chunk's parts stands room that is not written down.
  const std::string_view input = meldevakt::fuzz::text_of(data, size);
  std::string file{input};
  const auto read_raw = [&file](std::uint64_t offset, char* to,
                                std::size_t bytes) -> meldevakt::Result<std::size_t> {
    const std::size_t from = std::min<std::size_t>(offset, file.size());
    const std::size_t got = std::min(bytes, file.size() - from);
    std::copy_n(file.data() + from, got, to);
    return got;
  };
  for (const std::size_t to : {file.size(), kEvtxHeaderBytes + kEvtxChunkBytes}) {
    file.resize(std::max(file.size(), to), '\0');
    auto events = EvtxEvents::open(read_raw, file.size(), show);
    if (!events) continue;
    std::size_t shown = 0;
    while (!events.value()->done()) {
      const auto event = events.value()->next();
      MELDEVAKT_CHECK(event.has_value());
      if (!event.value()) continue;
      MELDEVAKT_CHECK(!event.value()->xml.empty());
      ++shown;
    }
    MELDEVAKT_CHECK(shown * 28 <= file.size());
    MELDEVAKT_CHECK(events.value()->damage().chunks <= events.value()->damage().chunks_in_all);
  }
  return 0;
}
