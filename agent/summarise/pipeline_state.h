// What a SourcePipeline remembers. Private to agent/summarise: source_pipeline.cpp works,
// pipeline_snapshot.cpp writes it down and reads it back.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/frame/record_framer.h"
#include "agent/summarise/content_name.h"
#include "agent/summarise/coverage.h"
#include "agent/summarise/source_pipeline.h"
#include "common/ports/sha256.h"

namespace meldevakt::agent {

struct SourcePipeline::State {
  // Files that ended are remembered, should one grow again; so many of them.
  static constexpr std::size_t kEndedMax = 256;
  // Ranges that wait for a statement with room; beyond it the oldest is not told.
  static constexpr std::size_t kRangesWaitingMax = 1024;

  struct File {
    std::optional<RecordFramer> framer;  // none: it ended, or was not begun since the restart
    FirstLine content;
    std::optional<Encoding> encoding;
    std::string carried;  // RecordFramer::carried(), once it ended
    FileTime time;
    std::string log;             // that it is a part of
    std::uint64_t ended_at = 0;  // offset where it ended
    std::uint64_t fed_from = 0;  // bytes fed since the last take: [fed_from, fed_to)
    std::uint64_t fed_to = 0;
    // Of receipts:
    std::string name;  // under which it lies
    Instant fed_at;
    std::uint64_t rows = 0;  // the header is row 1
    std::uint64_t bad_rows = 0;
    std::optional<Instant> newest_sent;
    std::optional<Instant> complete_told;  // newest_sent when its completeness was told
  };

  State(Settings new_settings, Instant start, Detector new_detector);

  Settings settings;
  Recogniser recogniser;
  MetricWatch metrics;
  Detector detector;
  ReadingLog reading;
  EventCoverage coverage;
  std::map<std::string, File> files;
  std::deque<std::string> ended;    // keys, in the order they ended
  std::deque<ContentRange> ranges;  // read and not in a statement yet
  ByteCounts bytes;                 // `pending` is not kept here
  std::uint64_t records = 0;
  std::uint64_t references_withheld = 0;
  std::map<Signal, Instant> last_seen;
  Sha256Stream digest;
  bool digest_has_bytes = false;
  std::optional<ReceiptRows> receipt_rows;
  std::vector<Fact> receipts;  // wait for the next take
  std::vector<std::string> notes;
  std::uint64_t more_notes = 0;  // that there was no room for
  bool digest_broken = false;    // some of the bytes were hashed by a process that is gone

  [[nodiscard]] std::uint64_t pending() const;
  void take_records(File& file, Instant now);
  void observe(const Record& record, Recognised made, const File& file, Instant now);
  [[nodiscard]] bool receipts_are_urgent() const;
  void read_receipt(const Record& record, File& file, std::uint64_t kept_bytes);
  [[nodiscard]] std::vector<std::string> saved_receipts() const;
  [[nodiscard]] Status restore_receipts(const std::vector<std::string>& saved);
  void take_last_row(File& file, Instant now);
  void tell_complete(File& file, Instant now);
  void note_range(File& file);
  void add_range(ContentRange range);
  [[nodiscard]] std::vector<ContentRange> take_ranges();
  void tell_time(Instant now);

  [[nodiscard]] static Detector::Settings detector_settings(const Settings& settings);
  // Throws the JSON library's exceptions on what is not of its form.
  [[nodiscard]] static Result<std::unique_ptr<State>> load(Settings settings,
                                                           std::string_view snapshot, Instant now);
};

}  // namespace meldevakt::agent
