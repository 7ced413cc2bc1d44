// What of one source has passed, by event time: which bytes of which file tell of which moments.
// And the last of these bytes themselves, for what a truncation destroys meanwhile.
//
//   tape.begin(key, 0);
//   tape.feed(key, bytes, newest_before);       // the file's newest event before these bytes
//   tape.seen(key, newest);                     // ... and after them
//   tape.end(key);                              // no more bytes come
//   for (const TapeRange& range : tape.plan({from, to}, pivot, bytes_max)) ...
//
// A mark is a place in a file and the newest event time before it. Bytes are in the order of their
// event times but for kSlack. A mark is set every kMarkBytes or kMarkEvery; when there are more
// than kMarksMax, old ones are thinned and plans grow coarser, never smaller; at last the marks of
// the file that was fed longest ago go, and its plan says `from_middle` when it is fed again.
//
// Pure. Thread-safety: none. Memory: the marks, a place for each file between begin and end, and
// `recent_bytes_max` bytes.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"

namespace meldevakt::agent {

struct TapeRange {
  std::string key;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  auto operator<=>(const TapeRange&) const = default;
};

struct TapeMark {
  std::string key;
  std::uint64_t offset = 0;
  Instant time;
  auto operator<=>(const TapeMark&) const = default;
};

// For the state. Dropped first, then added.
struct TapeChanges {
  std::vector<TapeMark> dropped;
  std::vector<TapeMark> added;
};

class Tape {
 public:
  static constexpr std::uint64_t kMarkBytes = 128 * 1024;
  static constexpr Duration kMarkEvery = seconds(10);
  static constexpr std::size_t kMarksMax = 4096;
  static constexpr Duration kSlack = seconds(30);
  static constexpr std::size_t kRecentPiecesMax = 1024;

  explicit Tape(std::size_t recent_bytes_max) : recent_bytes_max_{recent_bytes_max} {}
  // As stored, each file's by offset.
  void restore(const std::vector<TapeMark>& marks);

  void begin(const std::string& key, std::uint64_t offset);
  void feed(const std::string& key, std::string_view bytes, Instant newest_before);
  void seen(const std::string& key, Instant newest);
  void end(const std::string& key);

  // What may tell of `window` as far as it is read. Of what lies before `pivot` the last
  // `before_bytes_max` only; `cut` says whether that was less than all.
  struct Plan {
    std::vector<TapeRange> ranges;
    bool cut = false;
    bool from_middle = false;  // some of the window's bytes were never read by this agent
  };
  [[nodiscard]] Plan plan(Interval window, Instant pivot, std::uint64_t before_bytes_max) const;

  // Bytes from `offset` on that are still at hand; "" when they are not.
  [[nodiscard]] std::string_view recent(const std::string& key, std::uint64_t offset) const;
  // The first offset from `from` on that is at hand, or `to`.
  [[nodiscard]] std::uint64_t recent_from(const std::string& key, std::uint64_t from,
                                          std::uint64_t to) const;
  // Up to where the file was fed; 0 when it is not known.
  [[nodiscard]] std::uint64_t fed_to(const std::string& key) const;
  [[nodiscard]] TapeChanges take_changes();

 private:
  struct Mark {
    std::uint64_t offset;
    Instant time;
  };
  struct Track {
    std::vector<Mark> marks;
    Mark tail{0, {}};  // the last commit's end of what was fed, stored as a mark; 0: none
    std::uint64_t fed = 0;
    Instant newest;
    std::uint64_t used = 0;  // order in which tracks were last fed
    bool open = false;       // begun and not ended: its place is never forgotten
  };
  struct Piece {
    std::string key;
    std::uint64_t offset;
    std::string bytes;
  };
  void mark(const std::string& key, Track& track, std::uint64_t offset, Instant time);
  void remember(const std::string& key, std::uint64_t offset, std::string_view bytes);
  void thin();
  void drop_marks(const std::string& key, Track& track);

  std::size_t recent_bytes_max_;
  std::map<std::string, Track> tracks_;
  std::size_t marks_ = 0;
  std::uint64_t fed_ = 0;
  std::deque<Piece> recent_;
  std::size_t recent_bytes_ = 0;
  TapeChanges changes_;
};

}  // namespace meldevakt::agent
