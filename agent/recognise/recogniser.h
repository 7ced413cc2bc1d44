// From a record to signal events: time, rule, typed fields, privacy step. Also says where records
// start.
//
//   Recogniser recogniser{pack, zone, privacy};
//   if (recogniser.starts_record(line)) ...           // used by agent/frame through RecordFramer
//   for (const SignalEvent& e : recogniser.recognise(record).events) detector.observe(e, ...);
//
// Time: the record's own, read in the zone its text names (offset or known abbreviation), else in
// the source's zone; in the hour that autumn repeats, the reading nearest after the time in force.
// Pure but for the memory of the time in force. Thread-safety: none; one per source and thread.
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
  std::vector<SignalEvent>
      events;  // in rule order; a record without rule but with scope and reference has one
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
  [[nodiscard]] Recognised recognise(const Record& record);

  // The time in force, kept over a restart of the agent (part of the pipeline's snapshot).
  [[nodiscard]] std::optional<Instant> time_in_force() const;
  void set_time_in_force(std::optional<Instant> time);

  [[nodiscard]] const Stats& stats() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace meldevakt::agent
