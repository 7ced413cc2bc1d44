// One source from bytes to facts and coverage: frame, recognise, privacy step, detect, and the
// account of what was read on both time axes. Files come and go by an opaque key that agent/source
// gives them.
//
//   pipeline.begin_file(key, 0);
//   pipeline.feed(key, chunk, now);            // any chunking
//   pipeline.caught_up(now);                   // every file of the source is read to its end
//   pipeline.end_file(key, FileEnd::kComplete, now);   // rotated away and read to its end
//   SourceYield yield = pipeline.take(now);    // facts + coverage since the last take
//
// Rotated siblings are fed oldest first, one after the other. content_id names a file by its
// content: SHA-256 of its first line as stored (at most 1024 bytes), 32 hexadecimal digits; it
// stays when the file is renamed, moved, copied or compressed.
//
// Pure: bytes and `now` in, values out. Thread-safety: none; one per source.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/detect/detector.h"
#include "agent/recognise/metric_watch.h"
#include "agent/recognise/pack.h"
#include "agent/recognise/recogniser.h"
#include "agent/summarise/receipt_rows.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/ports/time_zone.h"
#include "common/summary/fact.h"
#include "common/summary/statement.h"

namespace meldevakt::agent {

enum class FileEnd : std::uint8_t {
  kComplete,  // read to its end; it will not grow
  kCut,       // read to the end of its copy; what was written before it was truncated is lost
  kLost,      // gone, truncated or replaced before it was known to be read to its end
};

// What one take() yields: the source's share of a statement.
struct SourceYield {
  std::vector<Fact> facts;
  SourceCoverage coverage;  // `reading` tiles [since the last take, now)
  Instant watermark;        // event time up to which the source is read
};

// What a reader knows of its files, see UnreadLogs.
struct UnreadFiles {
  struct File {
    std::string key;
    std::string log;
    bool operator==(const File&) const = default;
  };
  std::vector<File> files;  // that have bytes which were not handed on
  bool several_logs = false;
  bool refused = false;  // some of what there is cannot be read just now
  Instant looked;        // when all of it was looked at
};

class SourcePipeline {
 public:
  struct Settings {
    std::string name;
    std::shared_ptr<const Pack> pack;
    std::shared_ptr<const TimeZone> zone;
    std::string tenant_key;           // for PrivacyStep; "" when absent
    std::string fact_key;             // 32 bytes
    Duration flush_lag = seconds(1);  // configuration may raise the pack's
    Duration clock_error = milliseconds(0);
    bool digest = true;
    std::string kind = "file";   // in the coverage: FORMAT.md
    bool shared = false;         // other tenants are told of it too
    MetricLimits metric_limits;  // the operator's, by metric of the pack
    // The source is a portal's CSV: its rows are receipts, and no rule is asked.
    std::optional<ReceiptSettings> receipts;
  };

  SourcePipeline(Settings settings, Instant start);  // reading intervals begin at `start`
  ~SourcePipeline();
  SourcePipeline(SourcePipeline&&) noexcept;
  SourcePipeline& operator=(SourcePipeline&&) noexcept;

  // --- files
  // ---------------------------------------------------------------------------------------
  void begin_file(const std::string& key,
                  std::uint64_t offset);  // offset > 0 only for a key in the snapshot
  // The name under which the file lies now, for receipts (common/receipts/period.h), and the log it
  // is a part of, of which the first word counts: "" or never said, the only one of the source.
  void name_file(const std::string& key, std::string_view name, std::string_view log);
  void feed(const std::string& key, std::string_view chunk, Instant now);
  // Before bytes of any are fed: which files have some, each with its log as name_file() has it.
  // A source that never says has one log.
  void unread(const UnreadFiles& unread);
  void end_file(const std::string& key, FileEnd end, Instant now);
  // Where reading of this file must start again after a crash: first byte not in a finished record.
  [[nodiscard]] std::uint64_t low_water(const std::string& key) const;

  // The time of the newest record of the file that has one of its own; for the log hold.
  [[nodiscard]] std::optional<Instant> newest_event(const std::string& key) const;

  // --- state of reading
  // ----------------------------------------------------------------------------
  void set_read_state(ReadState state, std::string_view reason, Instant now);  // from `now` on
  void caught_up(Instant now);  // every byte there is has been fed
  void idle(Instant now);  // call at least once a second: completes waiting records, closes windows

  // --- results
  // -------------------------------------------------------------------------------------
  [[nodiscard]] bool has_urgent() const;
  [[nodiscard]] bool has_facts() const;
  // What has been read so far, for metrics.
  struct Account {
    ByteCounts bytes;
    std::uint64_t records = 0;
    std::uint64_t references_withheld = 0;  // by the privacy step, since this object was made
  };
  [[nodiscard]] Account account() const;
  // The watermark that take() would yield as things stand.
  [[nodiscard]] Instant watermark() const;
  [[nodiscard]] SourceYield take(Instant now);
  // What an operator should read: rows of receipts that cannot be used. Never holds their text.
  [[nodiscard]] std::vector<std::string> take_notes();

  // Everything but the positions, versioned. Consistent with low_water() at the moment of the call.
  // After a restart at `now`, the time since the snapshot is a reading gap "agent_stopped".
  [[nodiscard]] std::string snapshot(Instant now) const;
  [[nodiscard]] static Result<SourcePipeline> restore(Settings settings, std::string_view snapshot,
                                                      Instant now);

 private:
  struct State;
  explicit SourcePipeline(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace meldevakt::agent
