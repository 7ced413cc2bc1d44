// When a number is bad: from the readings of a source, in the order of its records, to the signals
// that its pack's [[metric]]s say.
//
//   MetricWatch watch{pack, {{"cpu.busy", 95.0}}};      // an operator's limits, or none
//   Recognised made = recogniser.recognise(record, file);
//   watch.judge(record, made);                          // adds to made.events
//
// A metric goes high (or low, where that is worse) when it has been beyond its threshold for the
// rule's `lasting`, in event time, and comes back when it is within `back`. While it is high each
// sample is an event; its `over_since` says from when on: in the first the beginning of it all,
// then the sample before. So windows made of the events reach from the first bad sample to the
// last, however far apart samples are. Samples further apart than the rule's `gap` say nothing of
// the time between: whatever was high has come back, unheard of.
//
// The threshold is the operator's limit, else the pack's, else one of the metric's own past
// (UsualValues): of each slot of history/256 the first value is kept. A slot's value counts
// for those after it only.
//
// Decided by the order of calls alone: live following, late reading and scanning of the same
// records give the same. Times that go back (by more than kDisorder) begin anew.
// Pure. Thread-safety: none; one a source. Bounds: kHistorySlots values a metric.
// Errors: restore(): kCorrupt; the watch is then as new.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/frame/record.h"
#include "agent/recognise/pack.h"
#include "agent/recognise/recogniser.h"
#include "common/base/result.h"
#include "common/base/time.h"

namespace meldevakt::agent {

class MetricWatch {
 public:
  static constexpr std::size_t kHistorySlots = 256;
  static constexpr std::size_t kHistoryValuesMin = 4;
  static constexpr Duration kHistoryMin = minutes(10);
  static constexpr Duration kDisorder = seconds(10);

  explicit MetricWatch(std::shared_ptr<const Pack> pack, const MetricLimits& limits = {});

  void judge(const Record& record, Recognised& made);

  [[nodiscard]] std::string snapshot() const;
  [[nodiscard]] Status restore(std::string_view snapshot);

  [[nodiscard]] static constexpr Duration slot_of(Duration history) {
    return {history.ms / static_cast<std::int64_t>(kHistorySlots)};
  }

 private:
  struct Series {
    std::optional<Instant> last;        // time of the last sample
    std::optional<Instant> over_since;  // of the run of bad samples that it ends
    bool high = false;
    std::deque<std::pair<Instant, double>> past;
    std::optional<double> usual;       // the threshold that `past` makes
    std::optional<double> usual_back;  // and how far back it must come once it is beyond that
  };
  struct Limit {
    std::optional<double> limit;
    std::optional<double> back;
  };
  [[nodiscard]] std::optional<Instant> over_since(std::size_t metric, Instant time, double value);
  [[nodiscard]] bool is_bad(std::size_t metric, double value) const;
  void remember(const MetricRule& rule, Series& series, Instant time, double value) const;
  static bool drop_ahead(Series& series, Instant of);
  static void set_usual(const MetricRule& rule, Series& series);

  std::shared_ptr<const Pack> pack_;
  std::vector<Limit> limits_;  // as MetricRule says, or the operator
  std::vector<Series> series_;
};

[[nodiscard]] std::vector<std::string> metric_names(const Pack& pack);

}  // namespace meldevakt::agent
