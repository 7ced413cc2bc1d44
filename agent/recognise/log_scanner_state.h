// What LogScanner remembers. Private to log_scanner*.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/frame/record_framer.h"
#include "agent/recognise/file_time.h"
#include "agent/recognise/log_scanner.h"
#include "agent/recognise/metric_watch.h"
#include "agent/recognise/recogniser.h"
#include "agent/recognise/record_bounds.h"

namespace meldevakt::agent {

// A scan has no clock: nothing is ever idle, and no record was written just now.
inline constexpr Instant kScanNow{0};

struct LogScanner::State {
  Settings settings;
  Recogniser recogniser;
  MetricWatch metrics;
  RecordBounds bounds;
  FileTime time;  // as of what is dealt with
  ScanStats stats;
  std::vector<ScanFinding> findings;
  ScanPlans plans;

  std::string buffer;
  std::size_t size = 0;             // bytes of the file in `buffer`
  std::uint64_t buffer_offset = 0;  // of buffer[0] in the file; even
  std::uint64_t line = 1;           // of `done`, or of the framer's next record

  // Framing: everything goes through this framer.
  std::optional<RecordFramer> framer;
  std::size_t fed = 0;            // of `buffer`, to the framer
  std::uint64_t framed_from = 0;  // offset at which it began: there is no way back without progress
  std::uint64_t framed_until = 0;  // offset before which there is no skipping

  // Skipping: a record begins at buffer[done], and all before it is dealt with.
  std::shared_ptr<const LiteralScanner> scanner;
  Encoding encoding = Encoding::kUtf8;
  std::size_t done = 0;
  std::size_t searched = 0;  // no record begins in buffer(done, searched)
  std::uint64_t candidates = 0;
  std::uint64_t judged_bytes = 0;
  std::uint32_t replans = 0;

  explicit State(Settings with);
  [[nodiscard]] std::string_view text() const { return std::string_view{buffer}.substr(0, size); }
  // What is kept of the file at most, while looking for the next record's beginning.
  [[nodiscard]] std::size_t window_max() const {
    return std::size_t{settings.pack->record_bytes_max} + 2 * settings.chunk_bytes;
  }
  [[nodiscard]] RecordFramer make_framer(std::uint64_t offset);
  [[nodiscard]] RecordFramer make_framer_of(std::size_t from, std::size_t to);

  void work();
  // --- framing
  void frame();
  bool begin_skipping();
  bool make_plan();
  void begin_framing();
  // --- skipping
  bool skip();
  bool look_at(std::size_t begin, std::size_t end);
  [[nodiscard]] std::size_t extent_end(std::size_t from, std::size_t stop);
  bool pass_lines(std::size_t from, std::size_t to);
  void settle_time(std::size_t from, std::size_t to);
  std::optional<Recognised> recognise_alone(const Record& record);
  bool time_stands_alone(std::size_t from, std::size_t to);
  void pass_times(std::size_t from, std::size_t to);
  void judge_plan();
  // ---
  Recognised recognise(const Record& record, FileTime& file_time);
  void take_records(RecordFramer& from, std::uint64_t& at_line);
  struct Bytes {
    std::uint64_t kept = 0;
    std::uint64_t dropped = 0;  // over a bound
  };
  void handle(const Record& record, Bytes bytes, std::uint64_t at_line);
  void tell(const Record& record, Recognised made, Bytes bytes, std::uint64_t at_line);
  void see_time(std::optional<Instant> at);
};

}  // namespace meldevakt::agent
