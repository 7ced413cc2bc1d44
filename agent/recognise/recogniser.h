// From a record to signal events: time, rule, typed fields, privacy step. Also says where records
// start.
//
//   Recogniser recogniser{pack, zone, privacy};
//   if (recogniser.starts_record(line)) ...           // used by agent/frame through RecordFramer
//   for (const SignalEvent& e : recogniser.recognise(record).events) detector.observe(e, ...);
//
// Time: the record's own, read in the zone its text names (offset or known abbreviation), else in
// the source's zone, or by the offset that the file says (event_time.h). A record without one has
// the time in force in its file. Pure but for the memory of that. Thread-safety: none; one per
// source and thread.
// Bounds: PCRE2 match and heap limits; reaching one is counted in Stats::limited, the record is
// dropped.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/frame/record.h"
#include "agent/frame/record_framer.h"
#include "agent/recognise/file_time.h"
#include "agent/recognise/metric_rule.h"
#include "agent/recognise/pack.h"
#include "agent/recognise/signal_event.h"
#include "common/ports/time_zone.h"
#include "common/privacy/privacy.h"

namespace meldevakt::agent {

struct Recognised {
  std::optional<Instant>
      time;  // the record's event time, own or in force; nullopt before the first
  bool has_own_time = false;
  bool known = false;    // a rule matched (also one without signal): bytes count as recognised
  bool limited = false;  // a match bound was reached: bytes count as dropped
  TimeDoubt time_doubt = TimeDoubt::kNone;  // of `time`
  // The record's own name, the same in every copy and wherever it stands, where the pack says
  // `named_by`, the record has those fields and something to say; else "".
  std::string own_name;
  std::vector<SignalEvent>
      events;  // in rule order; a record without rule but with scope and reference has one
  // Numbers that the pack's [[metric]]s look at. What they mean depends on those before:
  // MetricWatch::judge() makes events of them.
  std::vector<MetricReading> readings;
};

enum class ReadAt : std::uint8_t {
  kMeansNothing,
  kBoundsTime,  // no record is later: for an old file, when it was last written
  kIsArrival,   // nor much earlier: the log is followed as it grows, and packs may say "arrival"
};

class Recogniser {
 public:
  struct Stats {
    std::uint64_t records = 0;
    std::uint64_t limited = 0;
    std::uint64_t references_dropped = 0;
    std::uint64_t times_unreadable = 0;
  };

  // `zone`: of the source's configuration, or the pack's default, or UTC.
  Recogniser(std::shared_ptr<const Pack> pack, std::shared_ptr<const TimeZone> zone,
             PrivacyStep privacy);
  ~Recogniser();
  Recogniser(Recogniser&&) noexcept;
  Recogniser& operator=(Recogniser&&) noexcept;

  [[nodiscard]] bool starts_record(std::string_view line) const;
  // What framing asks of a line. The tests refer to this recogniser, wherever it is moved.
  [[nodiscard]] LineTests line_tests() const;

  // `file`: of the file that the record stands in, kept by the caller.
  [[nodiscard]] Recognised recognise(const Record& record, FileTime& file);
  // For one file only: the recogniser keeps its FileTime.
  [[nodiscard]] Recognised recognise(const Record& record);

  // What Record::read_at says of when a record was written; nothing by default.
  void set_read_at(ReadAt means);

  // The latest time read in any file, kept over a restart of the agent (part of the pipeline's
  // snapshot): a file that begins with records without time begins with it.
  [[nodiscard]] std::optional<Instant> time_in_force() const;
  void set_time_in_force(std::optional<Instant> time);

  [[nodiscard]] const Stats& stats() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Framing as the pack says.
[[nodiscard]] RecordFramer::Settings framer_settings(const Pack& pack);

}  // namespace meldevakt::agent
