// What a LifeTracker remembers. Private to agent/detect: life_tracker.cpp decides,
// life_tracker_snapshot.cpp writes it down and reads it back.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/detect/life_tracker.h"

namespace meldevakt::agent {

inline constexpr std::size_t kFindingKinds = 3;

// Of a step, what a finding can need.
struct LifeStep {
  std::uint32_t revision = 0;
  Signal signal = Signal::kMessageSaveFailed;
  Instant time;
  std::optional<Outcome> outcome;
  std::string code;
  std::string source;
  std::vector<Reference> candidates;
  Duration time_error{};  // the step may lie so far from `time`, either way

  [[nodiscard]] Instant soonest() const { return time - time_error; }
  [[nodiscard]] Instant latest() const { return time + time_error; }
};

struct Life {
  std::vector<Reference> names;           // empty: a failure that no message can be named for
  std::map<std::string, LifeStep> steps;  // by fact id
  std::array<bool, kFindingKinds> told{};
  Instant last;          // event time of the latest step
  bool settled = false;  // nothing is left to find out, unless another step comes

  [[nodiscard]] const LifeStep* earliest(Signal signal) const {
    const LifeStep* out = nullptr;
    for (const auto& [id, step] : steps) {
      if (step.signal == signal && (out == nullptr || step.time < out->time)) out = &step;
    }
    return out;
  }
  // One that may lie between the two.
  [[nodiscard]] bool has_commit(Instant from, Instant to) const {
    return std::any_of(steps.begin(), steps.end(), [&](const auto& entry) {
      const LifeStep& step = entry.second;
      return step.signal == Signal::kMessageCommitted && from <= step.latest() &&
             step.soonest() <= to;
    });
  }
  [[nodiscard]] bool has_commit_after(const LifeStep& failure, Duration within) const {
    return has_commit(failure.soonest(), failure.latest() + within);
  }
  [[nodiscard]] bool complete() const {
    return earliest(Signal::kMessageAcknowledged) != nullptr &&
           earliest(Signal::kMessageCommitted) != nullptr;
  }
};

struct LifeTracker::State {
  Settings settings;
  std::uint64_t next = 0;
  std::map<std::uint64_t, Life> lives;  // oldest first
  std::map<Reference, std::uint64_t> life_of;
  std::map<std::string, std::uint64_t> life_of_step;  // by fact id
  std::set<std::uint64_t> waiting;                    // not settled
  std::set<std::uint64_t> complete;

  std::uint64_t join(const std::vector<Reference>& names, Instant time);
  void adopt(std::uint64_t into, std::uint64_t from);
  void put(const std::string& id, LifeStep step, std::uint64_t life);
  void take_out(const std::string& id);
  void forget(std::uint64_t id);
  void keep_bounds();

  // What will be told of a life when the watermark reaches the deadline, unless another step comes.
  struct Suspicion {
    FindingKind kind = FindingKind::kFailedCommit;
    const LifeStep* step = nullptr;  // that decides
    Instant deadline;
  };
  [[nodiscard]] std::vector<Suspicion> suspicions(const Life& life) const;
  [[nodiscard]] const LifeStep* first_failure_left(const Life& life) const;
  [[nodiscard]] std::string sentence_of(const Life& life, const Suspicion& suspicion) const;
  void judge(Life& life, Instant watermark, std::vector<Finding>& out) const;
  [[nodiscard]] bool all_committed(const LifeStep& failure) const;

  [[nodiscard]] std::string save() const;
  // False for an unknown word or version; throws the JSON library's exceptions on another form.
  [[nodiscard]] bool load(std::string_view snapshot);
};

}  // namespace meldevakt::agent
