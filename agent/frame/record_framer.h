// From a file's bytes to records: cuts lines on the stored bytes (so offsets are exact in any
// encoding), decodes each, and joins lines into records where `starts_record` says one begins.
//
//   RecordFramer framer{settings, starts_record, offset};
//   framer.feed(chunk, now);
//   while (auto record = framer.next()) ...
//   framer.idle(now);                       // completes a last record that has waited long enough
//   resume_at = framer.low_water();         // first byte not yet returned in a record
//
// Output does not depend on where chunk borders fall. A line without its terminator is never a
// record. Pure: no I/O, no clock. Thread-safety: none. Errors: none, text that cannot be read is
// data. Bounds: a line over record_bytes_max is cut there and the rest dropped and counted; a
// record over lines_max or record_bytes_max likewise. Memory: at most record_bytes_max + one chunk.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "agent/decode/encoding.h"
#include "agent/frame/record.h"
#include "common/base/time.h"

namespace meldevakt::agent {

class RecordFramer {
 public:
  struct Settings {
    std::vector<Encoding> encodings;  // tried in order; a BOM at offset 0 decides
    std::uint32_t lines_max = 400;
    std::uint32_t record_bytes_max = 256 * 1024;
    Duration idle{2000};
  };
  // bytes_fed == record_bytes + dropped_bytes + pending_bytes()
  struct Stats {
    std::uint64_t bytes_fed = 0;
    std::uint64_t record_bytes =
        0;  // in returned records, terminators and BOM included, dropped parts not
    std::uint64_t dropped_bytes = 0;  // over a bound
    std::uint64_t lines = 0;
    std::uint64_t lines_truncated = 0;
    std::uint64_t undecodable_bytes = 0;  // replaced by U+FFFD
  };

  RecordFramer(Settings settings, std::function<bool(std::string_view line)> starts_record,
               std::uint64_t offset);
  ~RecordFramer();
  RecordFramer(RecordFramer&&) noexcept;
  RecordFramer& operator=(RecordFramer&&) noexcept;

  void feed(std::string_view chunk,
            Instant now);  // REQUIRES: next() returned nullopt since the last feed
  [[nodiscard]] std::optional<Record> next();
  void idle(Instant now);  // after `idle` without input a waiting complete-line record is complete
  void finish();  // the file will not grow: what waits is complete, an unterminated line too

  [[nodiscard]] std::uint64_t low_water()
      const;  // file offset of the first byte not in a returned record
  [[nodiscard]] std::uint64_t pending_bytes() const;
  [[nodiscard]] const Stats& stats() const;

  // The encoding decided at offset 0 must survive a restart in mid-file.
  [[nodiscard]] std::optional<Encoding> encoding() const;
  void set_encoding(Encoding encoding);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace meldevakt::agent
