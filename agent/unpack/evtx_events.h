// The events of an .evtx file as XML, oldest first, in bounded memory: the same form that Windows
// renders a live event in, so that one pack reads both (agent/rules/windows-events.rules.toml).
//
//   MELDEVAKT_TRY_ASSIGN(auto events, EvtxEvents::open(read_raw, raw_size));
//   while (!events->done()) {
//     MELDEVAKT_TRY_ASSIGN(const std::optional<EvtxEvent> event, events->next());
//     if (event) ...
//   }
//   events->damage();                                      // what the file held beside that
//
// A log that is full begins again at its first chunk, so chunks are read in the order of their
// record numbers, not in that of the file. A log that was not closed (copied while Windows wrote
// it) is read to its last whole record: that is no damage. Each chunk stands by itself, so a
// damaged one costs no other; of one whose checksum is wrong the events are given and the chunk is
// told as damaged.
//
// `EvtxText` is the same as one stream of bytes, each event and a line end.
//
// Thread-safety: none. Memory: one chunk and its events, 16 bytes a chunk of the file.
// Bounds: kEvtxChunksMax chunks; evtx_render.h's. Errors: kLimit, a larger file; kCorrupt, no
// .evtx; read_raw's and the renderer's own. EvtxText's last read says kCorrupt where there was
// damage: everything else was given before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/unpack/byte_source.h"
#include "agent/unpack/evtx_render.h"
#include "common/base/result.h"

namespace meldevakt::agent {

struct EvtxEvent {
  std::uint64_t id =
      0;  // in this file; an exported log counts anew and has the event's own in `xml`
  std::int64_t written_ms = 0;
  std::string xml;
};

struct EvtxDamage {
  std::size_t chunks = 0;         // damaged, of chunks_in_all
  std::size_t chunks_in_all = 0;  // that are used
  std::size_t records = 0;        // that are whole but cannot be shown
  bool cut = false;               // the file ends in the middle of a chunk
  [[nodiscard]] bool any() const { return chunks > 0 || records > 0 || cut; }
};
// "damaged chunks: 2 of 17; events that cannot be shown: 3; everything else was read".
[[nodiscard]] std::string to_string(const EvtxDamage& damage);

class EvtxEvents {
 public:
  // `raw_size`: of the file as it is now.
  [[nodiscard]] static Result<std::unique_ptr<EvtxEvents>> open(ReadRaw read_raw,
                                                                std::uint64_t raw_size,
                                                                RenderEvtx render = render_apart);

  // Reads at most one chunk: nullopt also where that one gave nothing and there are more.
  [[nodiscard]] Result<std::optional<EvtxEvent>> next();
  [[nodiscard]] bool done() const {
    return next_event_ == events_.size() && next_place_ == places_.size();
  }

  // Of what was read so far.
  [[nodiscard]] const EvtxDamage& damage() const { return damage_; }
  // When the oldest event was written; 0 in an empty log.
  [[nodiscard]] std::int64_t first_written_ms() const;

 private:
  struct Place {
    std::uint64_t first_id = 0;
    std::uint32_t chunk = 0;
  };
  EvtxEvents(ReadRaw read_raw, std::uint64_t raw_size, RenderEvtx render)
      : read_raw_{std::move(read_raw)}, raw_size_{raw_size}, render_{std::move(render)} {}
  [[nodiscard]] Status find_chunks();
  [[nodiscard]] Status read_chunk(const Place& place, bool is_newest);

  ReadRaw read_raw_;
  std::uint64_t raw_size_;
  RenderEvtx render_;
  bool open_ = false;
  std::int64_t first_written_ms_ = 0;
  std::vector<Place> places_;
  std::size_t next_place_ = 0;
  std::vector<EvtxEvent> events_;  // of the last chunk read
  std::size_t next_event_ = 0;
  EvtxDamage damage_;
};

class EvtxText final : public ByteSource {
 public:
  [[nodiscard]] static Result<std::unique_ptr<EvtxText>> open(ReadRaw read_raw,
                                                              std::uint64_t raw_size);
  [[nodiscard]] Result<std::size_t> read(char* to, std::size_t size) override;

 private:
  explicit EvtxText(std::unique_ptr<EvtxEvents> events) : events_{std::move(events)} {}
  std::unique_ptr<EvtxEvents> events_;
  std::string rest_;  // of the last event
  std::size_t at_ = 0;
  std::optional<Error> failed_;
};

}  // namespace meldevakt::agent
