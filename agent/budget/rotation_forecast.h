// Whether rotation will delete a log before it is read: how fast it is written, how fast it is
// read, and how fast its rotated files have gone so far.
//
//   ThroughputWatch watch;
//   watch.observe(steady, bytes_read_so_far, unread);              // every turn
//   Forecast f = forecast({.unread = ..., .read_rate = watch.read_rate(), ...});
//   f.sentence   "9 MB behind; at this pace the file being read is deleted in about 3 h; reading
//                 catches up in 20 min"
//
// The model: a rotated file lives until the rotations that come after it push it out, one every
// `deleted_every`. The file being read has `older_files` before it, so it goes after those. Reading
// at a rate r, with w written a second, needs `unread_oldest` / r for the file being read. When r
// is at least w that file alone decides; otherwise each later file has one more rotation's time and
// takes w / r as long to read as to write, so some file is not read in time, and this says when.
//
// Nothing is said of deletion before one has been seen: how long files are kept is then not known.
//
// Pure: values in, values out. Thread-safety: none. Bounds: kSamplesMax.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "common/base/time.h"

namespace meldevakt::agent {

// Rates over the last minutes, in bytes a second.
class ThroughputWatch {
 public:
  static constexpr Duration kSampleEvery = seconds(5);
  static constexpr std::size_t kSamplesMax = 36;  // three minutes
  static constexpr Duration kKnownAfter = seconds(10);

  // `read`: handed on so far, only grows. `unread`: there, and not handed on yet.
  void observe(Duration steady, std::uint64_t read, std::uint64_t unread);
  // nullopt before kKnownAfter.
  [[nodiscard]] std::optional<double> read_rate() const;
  [[nodiscard]] std::optional<double> write_rate() const;

 private:
  struct Sample {
    Duration steady;
    double read = 0;
    double written = 0;
  };
  [[nodiscard]] std::optional<double> rate(double Sample::*what) const;

  std::deque<Sample> samples_;
  Sample newest_;
};

// What is known of a source's rotation, kept over restarts (agent/app).
struct RotationPace {
  std::uint64_t deleted = 0;  // rotated files whose going was seen
  Instant first_deleted;      // of those, meaningless without
  Instant last_deleted;
  // `count` more have gone by `now`.
  void add(std::uint64_t count, Instant now);
  // Mean time between two of them, when two were seen.
  [[nodiscard]] std::optional<Duration> deleted_every() const;
};

struct ForecastInput {
  std::uint64_t unread = 0;         // in all files of the source
  std::uint64_t unread_oldest = 0;  // in the file being read
  std::uint32_t older_files = 0;    // that are still there and older than the file being read
  std::optional<double> read_rate;
  std::optional<double> write_rate;
  RotationPace rotation;
  std::optional<Duration> rotated_every;  // as the times of the rotated files say
  Instant now;
};

struct Forecast {
  bool behind = false;
  std::optional<Duration> catches_up_in;  // when it ever does
  std::optional<Duration> deleted_in;     // the file being read; when that can be known
  std::optional<Duration> overtaken_in;   // when something is deleted before it was read
  std::string sentence;                   // "" when nothing is behind or nothing is known yet
};

// Behind by less than this is no backlog: it is what one look after another finds.
inline constexpr std::uint64_t kBehindLeast = 256 * 1024;

[[nodiscard]] Forecast forecast(const ForecastInput& in);

// "45 s", "20 min", "3 h", "12 days": what people say, rounded.
[[nodiscard]] std::string about(Duration duration);

}  // namespace meldevakt::agent
