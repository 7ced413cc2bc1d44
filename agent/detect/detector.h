// From signal events to facts, for one source: who a record belongs to (scopes, look-back,
// ambiguity, aliases), which records tell of one and the same failure, and windows of overload.
//
//   Detector detector{settings};
//   detector.observe(event, record_name, now);
//   detector.idle(event_watermark, now);
//   for (Fact& f : detector.drain()) ...
//
// Scopes (DESIGN "Scopes"). A scope works on one message at a time. A reference named in one record
// of a scope belongs to the scope's other records, after it or (look-back) before it, until: the
// scope ends by a rule, another reference is named, the process restarts, or it was silent for
// `scope_age_max`. Of a record that names no message itself:
//
//   its scope was held by       the next reference named in its scope,       so it is
//                               at most look_back_max away
//   A, heard of A lately        whatever                                     A's       kScope
//   A, not lately               none, A again, or B that is received there   A's       kScope
//   A, not lately               B, in any other record                       A's or B's  kAmbiguous
//   none                        B                                            B's       kLookBack
//   none                        none, or B that is received there            nobody's  kNone
//
// "Lately": a record that surely is A's (it names A, or belongs to A by this table's first row)
// lies at most look_back_max before. "Received there": by a message.received record; that is where
// a message's life begins, so what was logged before it is not its. A scope that ended, by a rule
// or with its process, ends the waiting too. A record that names several messages (two portal ids)
// is kAmbiguous; one whose references all had to be dropped is kNone: it names a message, but not
// one that we can name; after both, their scopes name nobody.
//
// A source may have several logs (SignalEvent::log), written at a time by several processes: a
// scope is one of its log, and restarts, distances in time and the order of records are those of
// one log; so are failures. What a message is called (aliases) and windows are the source's.
//
// Failures. Records of message.save_failed of one message, or of one scope while it works on one,
// at most failure_join after the one before, tell of one failure; so do a db.* record of the same
// scope and what one record says by two rules. The fact keeps id, time and rule of the first; the
// worst outcome and the most specific code win (failure_grouping.h). message.received, .retried or
// .committed of the same message or scope in between, or the end of the scope, begin a new failure.
//
// Times in doubt (SignalEvent::time_doubt): a record is not taken to be older than the record
// before it where the doubt reaches so far, and the fact says by how much its time may be off.
//
// Everything is decided by event time and order of observe() calls; `now`, `watermark`, drain() and
// snapshots have no influence on what the facts finally are, only on when they are told and how
// often. So following live, reading a day late and scanning give the same facts. What is still
// undecided when `now` says somebody should hear of it is told as it stands and refined later under
// the same id. A revision counts the changes of a fact, told or not: equal revisions say the same.
//
// Fact id: HMAC-SHA-256(fact_key, record_name | offset | rule), 32 hexadecimal digits, where
// record_name names file and record by their content (agent/summarise/content_name.h). Pure.
// Thread-safety: none; one per source. Bounds: Limits below; what is over one is decided as it
// stands and counted in Stats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
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
    std::size_t logs_max = 4096;  // of more the one that stands furthest back is forgotten
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

  void observe(const SignalEvent& event, std::string_view record_name, Instant now);
  // `watermark`: no record with an earlier event time is to come. Closes what time alone closes.
  void idle(Instant watermark, Instant now);
  [[nodiscard]] std::vector<Fact> drain();  // decided since the last call, in order
  [[nodiscard]] bool has_ready() const;     // drain() will return something
  [[nodiscard]] bool has_urgent() const;    // a failure, a receipt or a window waits in drain()
  // Event time of the earliest step of which drain() has not yet told all that is known: coverage
  // must not be claimed beyond it.
  [[nodiscard]] std::optional<Instant> earliest_untold() const;
  // The step that the last observe() made or added to, as it stood then; for `explain`.
  [[nodiscard]] const std::optional<Fact>& latest() const;

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
