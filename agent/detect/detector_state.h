// What a Detector remembers. Private to agent/detect: detector.cpp decides, detector_snapshot.cpp
// writes it down and reads it back.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/detect/aliases.h"
#include "agent/detect/detector.h"
#include "agent/detect/failure_grouping.h"
#include "agent/detect/overload_windows.h"
#include "agent/detect/scopes.h"

namespace meldevakt::agent {

// A step that later records may still change.
struct OpenStep {
  // Whether the next reference named in its scope can still change whose it is.
  enum class Owner : std::uint8_t {
    kDecided,
    kWaiting,   // its scope named no message: the next one named may be its (look-back)
    kDoubtful,  // its scope named one long ago: if another is named next, it could be either's
  };

  Fact fact;  // as it stands, always a StepFact
  std::string log;
  std::vector<std::string> scopes;
  Owner owner = Owner::kDecided;
  std::optional<Outcome> outcome;     // as far as a record said; the fact has a word in any case
  bool joins = false;                 // a failure that later records may tell of too ...
  bool joins_scope = false;           // ... also those that only share its scope
  Instant last;                       // event time of its latest record
  std::string last_record;            // which record that was: content and offset
  Instant changed;                    // wall time since which nobody has heard of it as it stands
  std::optional<std::uint32_t> told;  // the revision told last

  [[nodiscard]] StepFact& step() { return *std::get_if<StepFact>(&fact.what); }
  [[nodiscard]] const StepFact& step() const { return *std::get_if<StepFact>(&fact.what); }
};

// What one record said of messages.
struct Heard {
  enum class Names : std::uint8_t { kNothing, kOne, kSeveral, kUnnameable };
  Names names = Names::kNothing;
  std::optional<Scopes::Holder> holder;  // for kNothing: who held its scope
  bool surely = false;                   // ... and was heard of lately

  // The message that the record surely belongs to, if any.
  [[nodiscard]] const std::vector<Reference>* owner(const std::vector<Reference>& named) const {
    if (names == Names::kOne) return &named;
    return surely ? &holder->references : nullptr;
  }
};

// How far one log of the source is.
struct LogPlace {
  Instant time;                                 // of the event before
  std::optional<std::uint64_t> latest_failure;  // begun or added to last, open or not
};

struct Identity {
  std::string record;  // content and offset: which record it was
  std::string id;      // of the fact, should it be the first record of one
};

// One record may make several events: what holds for all of them, and what comes after the last.
struct CurrentRecord {
  std::string key;                  // content and offset
  bool unnameable = false;          // it names a message that we cannot name
  bool restarted = false;           // the process; once a record
  std::vector<std::string> ending;  // scopes that end when the next record begins
};

struct Detector::State {
  using Ids = std::vector<std::uint64_t>;  // ascending, so in order of records

  State(Settings new_settings, Limits new_limits);

  Settings settings;
  Limits limits;
  Stats stats;
  Scopes scopes;
  AliasBook aliases;
  Hints hints;
  OverloadWindows windows;

  std::uint64_t next_step = 0;
  std::map<std::uint64_t, OpenStep> open;
  // Indexes over `open`.
  std::map<std::string, std::set<std::pair<Instant, std::uint64_t>>>
      by_time;                                    // log: OpenStep::last
  std::unordered_map<std::string, Ids> by_scope;  // every scope of the step
  std::map<Reference, Ids> by_reference;          // what a failure names
  CurrentRecord current;
  std::map<std::string, LogPlace> logs;
  std::vector<Fact> ready;
  bool urgent = false;         // in `ready`
  std::optional<Fact> latest;  // the step that the last observe() made or added to

  // --- one event, in this order
  void place(SignalEvent& event);
  void enter(const std::string& record);
  void expire(const SignalEvent& event);
  void restart_process(const std::string& log);
  [[nodiscard]] Heard hear(const SignalEvent& event, const std::string& alias_id, Instant now);
  void end_attempt(const SignalEvent& event, const Heard& heard);
  void add_step(const SignalEvent& event, const Heard& heard, Identity identity, Instant now);
  void add_hint(const SignalEvent& event, const std::string& record, Instant now);
  void end_scopes(const std::vector<std::string>& ended);
  void keep_bounds(const std::vector<std::string>& scopes_of_event);

  // --- whose a step is
  void attribute(OpenStep& made, const SignalEvent& event, const Heard& heard) const;
  void name_waiting(const SignalEvent& event, Instant now);
  void stop_waiting(const std::vector<std::string>& in);

  // --- failures
  [[nodiscard]] std::optional<std::uint64_t> failure_of(const OpenStep& record) const;
  [[nodiscard]] bool is_same_failure(const OpenStep& failure, const OpenStep& record) const;
  void join(std::uint64_t id, const OpenStep& record, Instant now);
  void start_failure(OpenStep& step);

  // --- open steps
  [[nodiscard]] Ids ids_in_scope(const std::vector<std::string>& in) const;
  [[nodiscard]] std::optional<std::uint64_t> latest_failure_of(const std::string& log) const;
  void insert(std::uint64_t id, OpenStep step);
  void forget_time(const OpenStep& step, std::uint64_t id);
  void index_references(std::uint64_t id, const std::vector<Reference>& references);
  void move_to(std::uint64_t id, Instant time);
  void decide(std::uint64_t id);  // whose it is, as it stands
  void finish(std::uint64_t id);  // nothing can change it any more
  void change(OpenStep& step, Instant now);
  void tell(OpenStep& step);
  void push(Fact fact);
  void count_final(const StepFact& step);
  void tell_windows(std::vector<OverloadWindows::Told> told);

  [[nodiscard]] Status load(const std::string& bytes);  // of a snapshot, into a new State
};

// A failure's fact says kFailed when no record said how it ended.
[[nodiscard]] constexpr Outcome outcome_or_default(std::optional<Outcome> outcome) {
  return outcome.value_or(Outcome::kFailed);
}

}  // namespace meldevakt::agent
