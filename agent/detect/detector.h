// From signal events to facts, for one source: who a record belongs to (scopes, look-back,
// ambiguity, aliases), which records tell of one and the same failure, and windows of overload.
//
//   Detector detector{settings};
//   detector.observe(event, content_id, now);
//   detector.idle(event_watermark, now);
//   for (Fact& f : detector.drain()) ...
//
// Scopes (DESIGN "Scopes"). A reference named in one record of a scope belongs to the scope's other
// records, after it or (look-back) before it, until: the scope ends by a rule, another reference is
// named, the process restarts, or `scope_age_max` passes. A record that could belong to two
// messages is kAmbiguous with both as candidates, never guessed.
//
// Everything is decided by event time and record order, so following live, reading a day late and
// scanning give the same facts. What is still undecided when `now` says somebody should hear of it
// is told as it stands and refined later under the same id with a higher revision.
//
// Fact id: HMAC-SHA-256(fact_key, content_id | offset | rule), 32 hexadecimal digits, where
// content_id names the file by its content (pipeline.h). Pure. Thread-safety: none; one per source.
// Bounds: Limits below; what is over one is decided as it stands and counted in Stats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/recognise/signal_event.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/summary/fact.h"

namespace meldevakt::agent {

class Detector {
 public:
  struct Settings {
    std::string source;
    std::string fact_key;  // 32 bytes
    Duration scope_age_max = seconds(30);
    Duration look_back_max = seconds(5);
    std::uint32_t look_back_signals_max = 16;
    Duration failure_join = seconds(2);  // records of one failure lie this near in event time
    Duration decide_after =
        seconds(2);  // wall time after which an undecided step is told as it stands
    Duration window_idle = seconds(60);     // an overload window ends after this without a signal
    Duration window_refresh = seconds(30);  // wall time between revisions of an open window
  };
  struct Limits {
    std::size_t scopes_max = 4096;
    std::size_t open_steps_max = 4096;
  };
  struct Stats {
    std::uint64_t scopes_evicted = 0;
    std::uint64_t steps_forced = 0;
    std::uint64_t ambiguous = 0;
    std::uint64_t unattributed = 0;
  };

  explicit Detector(Settings settings);
  Detector(Settings settings, Limits limits);
  ~Detector();
  Detector(Detector&&) noexcept;
  Detector& operator=(Detector&&) noexcept;

  void observe(const SignalEvent& event, std::string_view content_id, Instant now);
  // `watermark`: no record with an earlier event time is to come. Closes what time alone closes.
  void idle(Instant watermark, Instant now);
  [[nodiscard]] std::vector<Fact> drain();  // decided since the last call, in order
  [[nodiscard]] bool has_urgent() const;    // a failure, a receipt or a window waits in drain()

  // Versioned; restore refuses a version it does not know (kCorrupt): the caller re-reads instead.
  [[nodiscard]] std::string snapshot() const;
  [[nodiscard]] static Result<Detector> restore(Settings settings, Limits limits,
                                                std::string_view snapshot);

  [[nodiscard]] const Stats& stats() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace meldevakt::agent
