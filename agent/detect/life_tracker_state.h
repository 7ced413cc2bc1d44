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
};

struct Life {
  std::vector<Reference> names;           // empty: a failure that no message can be named for
  std::map<std::string, LifeStep> steps;  // by fact id
  std::array<bool, kFindingKinds> told{};
  Instant last;          // event time of the latest step
  bool settled = false;  // nothing is left to find out, unless another step comes

  [[nodiscard]] std::optional<Instant> earliest(Signal signal) const {
    std::optional<Instant> out;
    for (const auto& [id, step] : steps) {
      if (step.signal == signal && (!out || step.time < *out)) out = step.time;
    }
    return out;
  }
  [[nodiscard]] bool has_commit(Instant from, Instant to) const {
    return std::any_of(steps.begin(), steps.end(), [&](const auto& entry) {
      const LifeStep& step = entry.second;
      return step.signal == Signal::kMessageCommitted && from <= step.time && step.time <= to;
    });
  }
  [[nodiscard]] bool complete() const {
    return earliest(Signal::kMessageAcknowledged) && earliest(Signal::kMessageCommitted);
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

  void judge(Life& life, Instant watermark, std::vector<Finding>& out) const;
  void judge_failures(Life& life, Instant watermark, std::vector<Finding>& out) const;
  void judge_receipt(Life& life, Instant watermark, std::vector<Finding>& out) const;
  [[nodiscard]] bool all_committed(const LifeStep& failure) const;
  static void tell(Life& life, FindingKind kind, const LifeStep& step, std::string sentence,
                   std::vector<Finding>& out);

  [[nodiscard]] std::string save() const;
  // False for an unknown word or version; throws the JSON library's exceptions on another form.
  [[nodiscard]] bool load(std::string_view snapshot);
};

}  // namespace meldevakt::agent
