// latent_fault() one change at a time: what a running collector asks after every settle().
//
//   LatentWatch watch;
//   correlator.settle(now, [&](const Correlator::Change& change) { watch.note(change); });
//   const auto visit_all = [&](const auto& use) { correlator.visit(use); };
//   if (auto fault = watch.fault(visit_all, fixed_since); fault && fault->present) ...
//
// Equals latent_fault(correlator.correlation(), fixed_since), but for `since_then`, which is right
// up to kSoundMessages and may be too small beyond. Only messages at either end of time are
// remembered; when so many of them are taken back that an end is not known any more, all messages
// are looked at once (`visit_all`).
//
// Pure. Thread-safety: none. Memory: kKept messages four times. Cost: O(log kKept) a change.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "collector/correlate/correlator.h"
#include "collector/report/latent_fault.h"

namespace meldevakt::collector {

class LatentWatch {
 public:
  static constexpr std::size_t kKept = 3 * kSoundMessages;

  using VisitAll = std::function<void(const std::function<void(const MessageVerdict&)>&)>;

  void note(const Correlator::Change& change);
  [[nodiscard]] std::optional<LatentFault> fault(const VisitAll& visit_all,
                                                 std::optional<Instant> fixed_since = {});
  [[nodiscard]] std::uint64_t recounts() const { return recounts_; }  // so far: what it cost

 private:
  // The kKept of many that are furthest at one end.
  class Edge {
   public:
    enum class End : std::uint8_t { kOldest, kNewest };
    explicit Edge(End end) : end_{end} {}

    void put(const std::string& message, Instant time);
    void drop(const std::string& message);
    // That the first `wanted` of those there are are known, whatever was dropped.
    [[nodiscard]] bool knows(std::size_t wanted) const { return !cut_ || order_.size() >= wanted; }
    [[nodiscard]] std::optional<Instant> first() const;
    [[nodiscard]] std::uint64_t later_than(Instant time) const;  // of those that are kept

   private:
    using Key = std::pair<std::int64_t, std::string>;  // the furthest is the least
    [[nodiscard]] std::int64_t place_of(Instant time) const {
      return end_ == End::kOldest ? time.ms : -time.ms;
    }
    End end_;
    std::set<Key> order_;
    std::unordered_map<std::string, std::int64_t> places_;
    bool cut_ = false;  // there are, or were, others
  };

  void put(const MessageVerdict& message);
  void drop(const std::string& message);
  [[nodiscard]] bool knows_enough() const;
  void recount(const VisitAll& visit_all);

  Edge first_faulty_{Edge::End::kOldest};
  Edge last_faulty_{Edge::End::kNewest};
  Edge last_sound_{Edge::End::kNewest};
  Edge last_lost_{Edge::End::kNewest};
  std::uint64_t faulty_ = 0;
  std::uint64_t recounts_ = 0;
};

}  // namespace meldevakt::collector
