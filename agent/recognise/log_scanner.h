// Finds what the rules of a pack say of a whole file, looking closely only at records that hold a
// literal of a rule: the engine of `scan`.
//
//   LogScanner scanner{settings};
//   while (...) {
//     const LogScanner::Space space = scanner.space();
//     scanner.filled(read(fd, space.data, space.size));
//     for (ScanFinding& finding : scanner.take()) ...
//   }
//   scanner.finish();
//
// The order of meaning is decode, frame, recognise, for every byte; ScanOrder::kEverything does
// that. ScanOrder::kPrefiltered gives the same findings, with the same lines, offsets and times, at
// a fraction of the work: literals are looked for in the raw chunk; around each, the record's
// beginning and end are found by its lines; the record is framed, decoded and recognised as ever.
// The time in force where a record has none of its own, or has one that can be read in two ways, is
// found by going back to a record whose time stands by itself. Where the file does not allow this
// (its beginning, a kind of record that cannot be entered in its middle, NUL bytes, an encoding
// that changes, a record longer than the bounds) everything is framed until it does again.
//
// Pure: no I/O, no clock. Thread-safety: none; one scanner per file.
// Memory: one record of the pack's bounds and one chunk, and the plan's tables.
// Errors: none; text that cannot be read is data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/recognise/literal_scanner.h"
#include "agent/recognise/pack.h"
#include "agent/recognise/signal_event.h"
#include "common/ports/time_zone.h"
#include "common/privacy/privacy.h"

namespace meldevakt::agent {

enum class ScanOrder : std::uint8_t { kPrefiltered, kEverything };

struct ScanFinding {
  std::uint64_t line = 0;  // of the record's first line; the file's first line is 1
  SignalEvent event;       // with the record's offset in the file
  std::string text;        // of the record, where it was asked for
};

// Plans by the encoding of the text; made from the first text seen, better made once and handed to
// the scanner of the next file.
using ScanPlans = std::map<Encoding, std::shared_ptr<const LiteralScanner>>;

// Of the file as a whole; the same whatever was looked at closely, but for the last three.
struct ScanStats {
  std::uint64_t bytes = 0;
  std::uint64_t lines = 0;
  std::uint64_t records = 0;           // in which a rule matched
  std::uint64_t recognised_bytes = 0;  // of them
  std::uint64_t dropped_bytes = 0;     // of them, over a bound; and of those over a match limit
  std::optional<Instant> first_time;   // of the first and the last record with a time, and of those
  std::optional<Instant> last_time;    // in which a rule matched
  std::uint64_t timed_bytes = 0;       // of records looked at that have a time of their own
  std::uint64_t framed_bytes = 0;      // that were framed, because of a literal or for lack of one
  std::uint64_t references_dropped = 0;
};

class LogScanner {
 public:
  struct Settings {
    std::shared_ptr<const Pack> pack;
    std::shared_ptr<const TimeZone> zone;
    PrivacyStep privacy{""};
    ScanOrder order = ScanOrder::kPrefiltered;
    ScanPlans plans;         // of a scanner with the same pack, or none
    bool keep_text = false;  // in the findings
    std::size_t chunk_bytes = 256 * 1024;
    // A plan costs some milliseconds: less than this is sooner framed than planned.
    std::uint64_t plan_after_bytes = 64 * 1024;
  };

  explicit LogScanner(Settings settings);
  ~LogScanner();
  LogScanner(LogScanner&&) noexcept;
  LogScanner& operator=(LogScanner&&) noexcept;

  // Where to put the file's next bytes; valid until filled(), which says how many were put there.
  struct Space {
    char* data = nullptr;
    std::size_t size = 0;
  };
  [[nodiscard]] Space space();
  void filled(std::size_t bytes);
  void feed(std::string_view bytes);  // the same, by copying
  void finish();                      // the file ends here

  // What was found since the last call, in the order of the file.
  [[nodiscard]] std::vector<ScanFinding> take();
  [[nodiscard]] const ScanStats& stats() const;
  [[nodiscard]] const ScanPlans& plans() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace meldevakt::agent
