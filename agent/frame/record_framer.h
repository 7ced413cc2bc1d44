// From a file's bytes to records: cuts lines on the stored bytes (so offsets are exact in any
// encoding), decodes each, and joins lines into records as the shape says (record_shape.h).
//
//   RecordFramer framer{settings, tests, offset};
//   framer.feed(chunk, now);
//   while (auto record = framer.next()) ...
//   framer.idle(now);                       // completes a last record that has waited long enough
//   resume_at = framer.low_water();         // first byte not yet returned in a record
//
// Output does not depend on where chunk borders fall, whatever kind and encoding (but for
// Record::read_at). A line ends at "\n"; one "\r" directly before it belongs to the terminator. A
// line without its terminator is never a record. What comes before the first header, or after a
// record that idle() completed, is an orphan; so are blank lines between structured records.
// Structured records become their field view (field_view.h); of csv, JSON lines and W3C a record is
// returned when its line is there, of the others when the next begins.
// Pure: no I/O, no clock. Thread-safety: none. Errors: none, text that cannot be read is data.
//
// Bounds count stored bytes of text, without terminators. A line over record_bytes_max is cut there
// and its rest dropped and counted; of a record over lines_max or record_bytes_max everything up to
// the next header likewise: for csv that is a line that looks like a record's first, or follows the
// quote that closes. Orphan lines over a bound become several records. NUL padding
// (line_cutter.h) is dropped and counted, the last of a file when something follows it.
// Memory: one record and one line of record_bytes_max each, decoded, plus one chunk.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/decode/encoding.h"
#include "agent/frame/record.h"
#include "agent/frame/record_shape.h"
#include "common/base/time.h"

namespace meldevakt::agent {

// What framing asks about a decoded line; an empty function says no to all.
struct LineTests {
  std::function<bool(std::string_view line)> starts;
  std::function<bool(std::string_view line)> header_only;
  // The part of the line that the next record's first line must have in the same place to belong to
  // this record; data() is nullptr when no record is taken in.
  std::function<std::string_view(std::string_view line)> join_key;
};

class RecordFramer {
 public:
  static constexpr std::uint32_t kJoinedMax = 4;  // records in one, by join_key

  struct Settings {
    std::vector<Encoding> encodings;  // tried in order; a BOM at offset 0 decides
    std::uint32_t lines_max = 400;
    std::uint32_t record_bytes_max = 256 * 1024;
    Duration idle{2000};
    RecordShape shape{};
  };
  // bytes_fed == record_bytes + dropped_bytes + pending_bytes(), and
  // low_water() == offset at construction + record_bytes + dropped_bytes: all but bytes_fed tell of
  // returned records only, so that they agree with where reading starts again. (NUL padding with no
  // record in front of it is counted when the next record begins.)
  struct Stats {
    std::uint64_t bytes_fed = 0;
    std::uint64_t record_bytes = 0;   // terminators and BOM included, dropped parts not
    std::uint64_t dropped_bytes = 0;  // over a bound, or padding
    std::uint64_t padding_bytes = 0;  // of dropped_bytes: NUL bytes of preallocated files
    std::uint64_t lines = 0;
    std::uint64_t lines_truncated = 0;    // lost bytes to a bound, or were dropped whole
    std::uint64_t undecodable_bytes = 0;  // replaced by U+FFFD
    std::uint64_t records_malformed = 0;
  };

  RecordFramer(Settings settings, LineTests tests, std::uint64_t offset);
  RecordFramer(Settings settings, std::function<bool(std::string_view line)> starts_record,
               std::uint64_t offset);
  ~RecordFramer();
  RecordFramer(RecordFramer&&) noexcept;
  RecordFramer& operator=(RecordFramer&&) noexcept;

  // REQUIRES: next() returned nullopt since the last feed, so that the buffer stays bounded.
  void feed(std::string_view chunk, Instant now);
  [[nodiscard]] std::optional<Record> next();
  // After Settings::idle without input a record of complete lines is complete; next() returns it.
  void idle(Instant now);
  // The file will not grow: what waits is complete, an unterminated line too; next() returns it.
  void finish();

  // File offset of the first byte not in a returned record: where to read again after a restart.
  [[nodiscard]] std::uint64_t low_water() const;
  [[nodiscard]] std::uint64_t pending_bytes() const;
  [[nodiscard]] const Stats& stats() const;

  // The encoding decided at offset 0 must survive a restart in mid-file.
  [[nodiscard]] std::optional<Encoding> encoding() const;
  void set_encoding(Encoding encoding);
  // So must the names of columns that the file itself gave. "" when there is nothing to keep;
  // at most about record_bytes_max. Agrees with low_water().
  [[nodiscard]] std::string carried() const;
  void set_carried(std::string_view carried);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace meldevakt::agent
