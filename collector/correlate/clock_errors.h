// By how much an agent's clock may have been off, and when: what its statements say of it
// (claims.h), for the event time that each of them told.
//
//   ClockErrors errors;
//   errors.add("agent", told, milliseconds(1500));
//   errors.widest("agent", span)      // how far `span` may lie from where that agent's log has it
//
// An error of up to kOrdinary counts for all time: clocks swing. A larger one counts for the hours
// that were told while it was stated, so that one bad hour neither hides nor delays anything else.
// A set: order and repetition do not matter. Pure. Thread-safety: const functions. Cost: O(hours
// told) to add, O(hours asked) to ask; memory: some 60 bytes for each hour of a clock that was
// wrong.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/time.h"

namespace meldevakt::collector {

class ClockErrors {
 public:
  static constexpr Duration kOrdinary = seconds(5);
  // Of what tells of more than this at once only the first and the last day count: a clock that
  // jumped for a minute tells of years.
  static constexpr Duration kToldMax = days(14);
  // widest() is rounded up to this, so that a clock that drifts by microseconds changes nothing.
  static constexpr Duration kStep = milliseconds(100);

  struct Change {
    bool grew = false;              // what of() says of any time, by an ordinary error
    bool everywhere = false;        // widest() of any time
    std::vector<Interval> where{};  // of() and widest() of these hours
  };
  Change add(const std::string& agent, const Interval& told, Duration error);

  // The largest that was stated of that time; zero when none was.
  [[nodiscard]] Duration of(const std::string& agent, const Interval& span) const;
  [[nodiscard]] Duration of(const std::string& agent, Instant time) const {
    return of(agent, {time, time});
  }
  [[nodiscard]] Duration widest(const std::string& agent, const Interval& span) const;
  // The same of any agent.
  [[nodiscard]] Duration widest_of_any(const Interval& span) const;
  // Ever, of that agent.
  [[nodiscard]] Duration largest(const std::string& agent) const;
  // The largest that counts for all time, of any agent: kOrdinary at most.
  [[nodiscard]] Duration ordinary() const { return ordinary_; }
  // When a larger one counts, of any agent.
  [[nodiscard]] std::vector<Interval> large() const;

 private:
  struct Agent {
    // An error beyond kOrdinary, for the hours of `span`.
    void add(const Interval& span, Duration error, Change& change);
    Duration always;
    Duration largest;
    std::map<std::int64_t, Duration> hours;  // since 1970
  };
  std::map<std::string, Agent> agents_;
  Duration ordinary_;
};

}  // namespace meldevakt::collector
