#include "agent/unpack/evtx_events.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace meldevakt::agent {
namespace {

std::uint64_t offset_of(std::uint32_t chunk) {
  return kEvtxHeaderBytes + static_cast<std::uint64_t>(chunk) * kEvtxChunkBytes;
}

Result<std::string> read(const ReadRaw& read_raw, std::uint64_t offset, std::size_t size) {
  std::string out(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    MELDEVAKT_TRY_ASSIGN(const std::size_t got,
                         read_raw(offset + done, out.data() + done, size - done));
    if (got == 0) break;
    done += got;
  }
  out.resize(done);
  return out;
}

}  // namespace

std::string to_string(const EvtxDamage& damage) {
  std::string out;
  if (damage.cut) out = "it ends in the middle of a chunk; ";
  if (damage.chunks > 0) {
    out += "damaged chunks: " + std::to_string(damage.chunks) + " of " +
           std::to_string(damage.chunks_in_all) + "; ";
  }
  if (damage.records > 0) {
    out += "events that cannot be shown: " + std::to_string(damage.records) + "; ";
  }
  return out + "everything else was read";
}

Result<std::unique_ptr<EvtxEvents>> EvtxEvents::open(ReadRaw read_raw, std::uint64_t raw_size,
                                                     RenderEvtx render) {
  std::unique_ptr<EvtxEvents> out{new EvtxEvents{std::move(read_raw), raw_size, std::move(render)}};
  MELDEVAKT_TRY(out->find_chunks());
  return out;
}

std::int64_t EvtxEvents::first_written_ms() const {
  return first_written_ms_;
}

Status EvtxEvents::find_chunks() {
  MELDEVAKT_TRY_ASSIGN(const std::string header,
                       meldevakt::agent::read(read_raw_, 0, kEvtxHeaderBytes));
  if (!is_evtx(header)) return Error{Errc::kCorrupt, "it is no .evtx file"};
  open_ = is_evtx_open(header);
  damage_.cut = header.size() < kEvtxHeaderBytes;
  const std::uint64_t bytes = raw_size_ - std::min<std::uint64_t>(raw_size_, kEvtxHeaderBytes);
  const std::uint64_t chunks = (bytes + kEvtxChunkBytes - 1) / kEvtxChunkBytes;
  if (chunks > kEvtxChunksMax) {
    return Error{Errc::kLimit, "an event log larger than 4 GiB: Windows makes none"};
  }
  for (std::uint32_t chunk = 0; chunk < chunks; ++chunk) {
    MELDEVAKT_TRY_ASSIGN(const std::string start,
                         meldevakt::agent::read(read_raw_, offset_of(chunk), kEvtxChunkLookBytes));
    const EvtxChunkStart found = look_at_start(start);
    if (found.empty) continue;
    places_.push_back({found.first_id, chunk});
    if (found.first_written_ms != 0 &&
        (first_written_ms_ == 0 || found.first_written_ms < first_written_ms_)) {
      first_written_ms_ = found.first_written_ms;
    }
  }
  damage_.chunks_in_all = places_.size();
  std::stable_sort(places_.begin(), places_.end(),
                   [](const Place& a, const Place& b) { return a.first_id < b.first_id; });
  return {};
}

Status EvtxEvents::read_chunk(const Place& place, bool is_newest) {
  MELDEVAKT_TRY_ASSIGN(const std::string bytes,
                       meldevakt::agent::read(read_raw_, offset_of(place.chunk), kEvtxChunkBytes));
  const EvtxChunk chunk = look_at_chunk(bytes);
  if (bytes.size() < kEvtxChunkBytes) damage_.cut = true;
  const bool is_being_written =
      chunk.state == EvtxChunkState::kUnlike && open_ && is_newest && !damage_.cut;
  const bool is_damaged =
      chunk.state == EvtxChunkState::kDamaged || chunk.state == EvtxChunkState::kUnlike;
  if (is_damaged && !is_being_written && bytes.size() == kEvtxChunkBytes) ++damage_.chunks;
  if (chunk.records.empty()) return {};
  MELDEVAKT_TRY_ASSIGN(std::vector<std::string> shown,
                       render_(alone_in_a_file(bytes, chunk), chunk.records));
  shown.resize(chunk.records.size());
  for (std::size_t i = 0; i < shown.size(); ++i) {
    if (shown[i].empty()) {
      ++damage_.records;
      continue;
    }
    events_.push_back({chunk.records[i].id, chunk.records[i].written_ms, std::move(shown[i])});
  }
  return {};
}

Result<std::optional<EvtxEvent>> EvtxEvents::next() {
  if (done()) return std::optional<EvtxEvent>{};
  if (next_event_ == events_.size()) {
    events_.clear();
    next_event_ = 0;
    const Place place = places_[next_place_++];
    MELDEVAKT_TRY(read_chunk(place, next_place_ == places_.size()));
    if (events_.empty()) return std::optional<EvtxEvent>{};
  }
  return std::optional<EvtxEvent>{std::move(events_[next_event_++])};
}

Result<std::unique_ptr<EvtxText>> EvtxText::open(ReadRaw read_raw, std::uint64_t raw_size) {
  MELDEVAKT_TRY_ASSIGN(std::unique_ptr<EvtxEvents> events,
                       EvtxEvents::open(std::move(read_raw), raw_size));
  return std::unique_ptr<EvtxText>{new EvtxText{std::move(events)}};
}

Result<std::size_t> EvtxText::read(char* to, std::size_t size) {
  std::size_t done = 0;
  while (done < size && !failed_) {
    if (at_ == rest_.size()) {
      Result<std::optional<EvtxEvent>> event = events_->next();
      if (!event) failed_ = event.error();
      if (!event) break;
      if (!event.value() && events_->done()) break;
      if (!event.value()) continue;
      rest_ = std::move(event.value()->xml);
      if (rest_.back() != '\n') rest_ += '\n';
      at_ = 0;
    }
    const std::size_t take = std::min(size - done, rest_.size() - at_);
    std::copy_n(rest_.data() + at_, take, to + done);
    at_ += take;
    done += take;
  }
  if (done == 0 && failed_) return *failed_;
  if (done == 0 && events_->damage().any()) {
    return Error{Errc::kCorrupt, to_string(events_->damage())};
  }
  return done;
}

}  // namespace meldevakt::agent
