// The life of every message in event order, across an agent's sources, as far as it is needed to
// tell findings at once. Keeps a message until its life is complete (receipt and commit seen) or
// for `keep`; within that a finding of one kind is told once per message.
//
// Times in doubt (StepFact::time_error): nothing is told that only seems so because of them. A
// commit that may lie behind its receipt is not one before it, and a grace time ends when the
// latest reading of its beginning says so.
//
// Pure. Thread-safety: none. Bounds: lives_max; the oldest complete life, then the oldest, gives
// way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/detect/finding.h"
#include "common/base/result.h"
#include "common/summary/fact.h"

namespace meldevakt::agent {

class LifeTracker {
 public:
  struct Settings {
    Duration grace = seconds(30);
    Duration keep = hours(24);
    std::size_t lives_max = 50'000;
    bool commits_are_observed = true;  // some source's pack observes message.committed
  };
  explicit LifeTracker(Settings settings);
  ~LifeTracker();
  LifeTracker(LifeTracker&&) noexcept;
  LifeTracker& operator=(LifeTracker&&) noexcept;

  void add(const Fact& fact);
  // `watermark`: event time up to which every source has been read. Grace runs on event time.
  [[nodiscard]] std::vector<Finding> findings(Instant watermark);

  // The watermarks at which findings() will tell something new if nothing more is added: when the
  // grace time of a failure or of a receipt without commit is over. In order.
  [[nodiscard]] std::vector<Instant> deadlines() const;

  [[nodiscard]] std::string snapshot() const;
  [[nodiscard]] static Result<LifeTracker> restore(Settings settings, std::string_view snapshot);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace meldevakt::agent
