#include "agent/hold/tape.h"

#include <algorithm>
#include <utility>

namespace meldevakt::agent {

void Tape::restore(const std::vector<TapeMark>& marks) {
  for (const TapeMark& mark : marks) {
    Track& track = tracks_[mark.key];
    track.marks.push_back({mark.offset, mark.time});
    track.fed = std::max(track.fed, mark.offset);
    track.newest = std::max(track.newest, mark.time);
    track.used = ++fed_;
    ++marks_;
  }
}

void Tape::begin(const std::string& key, std::uint64_t offset) {
  Track& track = tracks_[key];
  while (!track.marks.empty() && track.marks.back().offset > offset) {
    changes_.dropped.push_back({key, track.marks.back().offset, track.marks.back().time});
    track.marks.pop_back();
    --marks_;
  }
  track.fed = offset;
  track.used = ++fed_;
  track.open = true;
  if (track.marks.empty()) mark(key, track, offset, {});
  while (marks_ > kMarksMax) thin();
}

void Tape::end(const std::string& key) {
  const auto found = tracks_.find(key);
  if (found == tracks_.end()) return;
  found->second.open = false;
  if (found->second.marks.empty()) tracks_.erase(found);
}

void Tape::feed(const std::string& key, std::string_view bytes, Instant newest_before) {
  Track& track = tracks_[key];
  track.newest = std::max(track.newest, newest_before);
  if (track.marks.empty()) {
    mark(key, track, track.fed, newest_before);
  } else {
    const Mark& last = track.marks.back();
    const bool far = track.fed - last.offset >= kMarkBytes;
    const bool late = newest_before >= last.time + kMarkEvery || newest_before < last.time;
    if (track.fed > last.offset && (far || late)) mark(key, track, track.fed, newest_before);
  }
  remember(key, track.fed, bytes);
  track.fed += bytes.size();
  fed_ += bytes.size();
  track.used = fed_;
  while (marks_ > kMarksMax) thin();
}

void Tape::seen(const std::string& key, Instant newest) {
  const auto found = tracks_.find(key);
  if (found == tracks_.end()) return;
  Track& track = found->second;
  // Nothing in a file is older than its first event: a file that begins late is not asked for early
  // times. Nobody knows it before the first chunk is read.
  if (track.newest == Instant{} && track.marks.size() == 1 && newest != Instant{} &&
      track.fed - track.marks[0].offset <= kMarkBytes) {
    Mark& first = track.marks[0];
    changes_.dropped.push_back({key, first.offset, first.time});
    first.time = newest - kMarkEvery;
    changes_.added.push_back({key, first.offset, first.time});
  }
  track.newest = std::max(track.newest, newest);
}

void Tape::mark(const std::string& key, Track& track, std::uint64_t offset, Instant time) {
  track.marks.push_back({offset, time});
  changes_.added.push_back({key, offset, time});
  ++marks_;
}

void Tape::remember(const std::string& key, std::uint64_t offset, std::string_view bytes) {
  if (bytes.size() > recent_bytes_max_) {
    offset += bytes.size() - recent_bytes_max_;
    bytes.remove_prefix(bytes.size() - recent_bytes_max_);
  }
  if (bytes.empty()) return;
  const std::size_t piece_bytes_max = std::min<std::size_t>(64 * 1024, recent_bytes_max_ / 8);
  const bool joins = !recent_.empty() && recent_.back().key == key &&
                     recent_.back().offset + recent_.back().bytes.size() == offset &&
                     recent_.back().bytes.size() + bytes.size() <= piece_bytes_max;
  if (joins) {
    recent_.back().bytes.append(bytes);
  } else {
    recent_.push_back({key, offset, std::string{bytes}});
  }
  recent_bytes_ += bytes.size();
  while (recent_bytes_ > recent_bytes_max_ || recent_.size() > kRecentPiecesMax) {
    recent_bytes_ -= recent_.front().bytes.size();
    recent_.pop_front();
  }
}

// Half of the older half of the longest track, or all marks of the track that was used longest ago
// when all are short.
void Tape::thin() {
  auto longest = std::max_element(tracks_.begin(), tracks_.end(), [](const auto& a, const auto& b) {
    return a.second.marks.size() < b.second.marks.size();
  });
  std::vector<Mark>& marks = longest->second.marks;
  if (marks.size() >= 16) {
    std::vector<Mark> kept;
    for (std::size_t i = 0; i < marks.size(); ++i) {
      if (i == 0 || i >= marks.size() / 2 || i % 2 == 0) {
        kept.push_back(marks[i]);
      } else {
        changes_.dropped.push_back({longest->first, marks[i].offset, marks[i].time});
      }
    }
    marks_ -= marks.size() - kept.size();
    marks = std::move(kept);
    return;
  }
  const auto order = [](const auto& one) {
    return std::pair{one.second.marks.empty(), one.second.used};
  };
  const auto oldest =
      std::min_element(tracks_.begin(), tracks_.end(),
                       [&](const auto& a, const auto& b) { return order(a) < order(b); });
  drop_marks(oldest->first, oldest->second);
  // What is still read keeps its place: else its next bytes would count from 0.
  if (!oldest->second.open) tracks_.erase(oldest);
}

void Tape::drop_marks(const std::string& key, Track& track) {
  for (const Mark& mark : track.marks) changes_.dropped.push_back({key, mark.offset, mark.time});
  if (track.tail.offset > 0) changes_.dropped.push_back({key, track.tail.offset, {}});
  marks_ -= track.marks.size();
  track.marks.clear();
  track.tail = {};
}

Tape::Plan Tape::plan(Interval window, Instant pivot, std::uint64_t before_bytes_max) const {
  struct Found {
    const std::string* key;
    std::uint64_t from, middle, to;
    Instant newest;
  };
  std::vector<Found> all;
  Plan out;
  for (const auto& [key, track] : tracks_) {
    const std::vector<Mark>& marks = track.marks;
    if (marks.empty() || track.newest + kSlack < window.from) continue;
    std::size_t first = 0;
    while (first < marks.size() && marks[first].time + kSlack < window.from) ++first;
    std::size_t last = marks.size();
    while (last > 0 && marks[last - 1].time > window.to + kSlack) --last;
    std::size_t middle = marks.size();
    while (middle > 0 && marks[middle - 1].time > pivot) --middle;
    // One mark more: a record that was not finished at a mark has no time yet.
    const std::size_t start = first - std::min<std::size_t>(first, 2);
    if (last == 0) continue;
    Found found{&key, marks[start].offset, 0, 0, track.newest};
    found.to = last < marks.size() ? marks[last].offset : track.fed;
    found.middle = middle < marks.size() ? marks[middle].offset : track.fed;
    found.middle = std::clamp(found.middle, found.from, std::max(found.from, found.to));
    if (found.from >= found.to) continue;
    if (start == 0 && found.from > 0) out.from_middle = true;
    all.push_back(found);
  }
  std::sort(all.begin(), all.end(), [](const Found& a, const Found& b) {
    return a.newest != b.newest ? a.newest > b.newest : *a.key > *b.key;
  });
  for (Found& found : all) {
    const std::uint64_t before = std::min(found.middle - found.from, before_bytes_max);
    out.cut = out.cut || before < found.middle - found.from;
    before_bytes_max -= before;
    found.from = found.middle - before;
    if (found.from < found.to) out.ranges.push_back({*found.key, found.from, found.to});
  }
  std::reverse(out.ranges.begin(), out.ranges.end());  // what rotation takes first comes first
  return out;
}

std::uint64_t Tape::fed_to(const std::string& key) const {
  const auto found = tracks_.find(key);
  return found == tracks_.end() ? 0 : found->second.fed;
}

std::string_view Tape::recent(const std::string& key, std::uint64_t offset) const {
  for (const Piece& piece : recent_) {
    if (piece.offset <= offset && offset < piece.offset + piece.bytes.size() && piece.key == key) {
      return std::string_view{piece.bytes}.substr(offset - piece.offset);
    }
  }
  return {};
}

std::uint64_t Tape::recent_from(const std::string& key, std::uint64_t from,
                                std::uint64_t to) const {
  std::uint64_t out = to;
  for (const Piece& piece : recent_) {
    if (piece.key != key || piece.offset + piece.bytes.size() <= from) continue;
    out = std::min(out, std::max(from, piece.offset));
  }
  return out;
}

TapeChanges Tape::take_changes() {
  // As the state needs it: what was there and is no more, and what is there in its last form.
  std::map<std::pair<std::string, std::uint64_t>, bool> touched;  // by place: to be kept
  for (const TapeMark& mark : changes_.dropped) touched[{mark.key, mark.offset}] = false;
  for (const TapeMark& mark : changes_.added) touched[{mark.key, mark.offset}] = false;
  for (auto& [key, track] : tracks_) {
    // The end, too: after a restart nothing else says how late a file's last events are.
    if (track.marks.empty() ||
        (track.tail.offset == track.fed && track.tail.time == track.newest)) {
      continue;
    }
    if (track.tail.offset > 0) touched[{key, track.tail.offset}] = false;
    track.tail = {track.fed, track.newest};
  }
  TapeChanges out;
  for (const auto& [place, unused] : touched)
    out.dropped.push_back({place.first, place.second, {}});
  for (const auto& [key, track] : tracks_) {
    bool has_tail = track.tail.offset == 0;
    for (const Mark& mark : track.marks) {
      has_tail = has_tail || mark.offset == track.tail.offset;
      if (touched.contains({key, mark.offset})) out.added.push_back({key, mark.offset, mark.time});
    }
    if (!has_tail) out.added.push_back({key, track.tail.offset, track.tail.time});
  }
  changes_ = {};
  return out;
}

}  // namespace meldevakt::agent
