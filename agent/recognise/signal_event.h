// What recognition makes of one record: a signal with typed fields, after the privacy step.
//
// References are already what may leave (common/privacy). Scope values are not: they stay inside
// the agent's memory and state, and only tell which records belong together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"
#include "common/summary/signal.h"

namespace meldevakt::agent {

// Why an event's time may not be what the record's writer meant.
enum class TimeDoubt : std::uint8_t {
  kNone,
  kTwoReadings,  // in the hour that autumn repeats, and order does not say which
  kSkipped,      // in the hour that spring skips: the writer's clock or zone is not what we think
  kDayDeduced,   // the record gives a time of day only
  kArrival,      // the record gives no time: it is when it was read
};
[[nodiscard]] std::string_view to_string(TimeDoubt doubt);  // "two_readings"; "" for kNone
// How far off a time in such doubt may be, either way.
[[nodiscard]] Duration time_error_of(TimeDoubt doubt);

struct SignalEvent {
  // What a rule makes of a record; kNone for rules (and bare records) that only name a message.
  std::optional<Signal> signal;
  Instant time;                             // event time, UTC
  bool time_inherited = false;              // the record has none of its own: the one in force
  TimeDoubt time_doubt = TimeDoubt::kNone;  // of `time`, also when it is inherited
  std::string rule;                         // the rule's id
  std::string code;                         // "pg/55P03", "" when the rule has none
  std::optional<Outcome> outcome;           // for message.save_failed
  std::optional<FormType> form;
  std::string district;               // the bydel's number, "03"; "" when the record does not say
  std::vector<Reference> references;  // named in this record; sorted, unique
  // Which of the source's logs it stands in; "": it has one. Two logs may be written at a time, by
  // two processes, and scopes of the same name in them are not the same.
  std::string log;
  std::vector<std::string>
      scopes;  // keys of the scopes the record is in, e.g. "thread=17"; outermost first
  bool ends_scope = false;        // after this record the scope names no message any more
  bool restarts_process = false;  // all scopes of the process end here: a new process instance
  bool opens_window = false;      // counts towards an overload window
  // Of a metric that is over its limit: since when, `time` being the last sample of it. Such an
  // event has no reference and no scope.
  std::optional<Instant> over_since;
  std::optional<Duration> lasted;  // the record says for how long what it tells of had run
  std::string driver;        // for windows: what the rule says is the cause, "" = the signal's own
  std::uint64_t offset = 0;  // of the record in its file
  std::uint64_t bytes = 0;
  std::uint32_t references_dropped = 0;  // no key, malformed or over a bound
};

}  // namespace meldevakt::agent
