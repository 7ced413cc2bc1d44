// What to send next and when: the decisions of shipping, without a thread, a clock or a network.
//
//   lane.offer(frames);                            // in order, from the outbox
//   if (const OutgoingFrame* f = lane.next(now)) lane.result(*f, sender.send(*f), now, unit);
//   for (const ShipEvent& e : lane.take_events()) ...
//
// One frame is on its way at a time, so the order at the collector is the chain's. A failure keeps
// the frame and waits (backoff.h). After a fork or a false log nothing more is sent until a person
// has looked and the agent was started again; everything is kept.
//
// Thread-safety: none. Memory: what was offered.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "agent/ship/frame_sender.h"
#include "common/base/time.h"

namespace meldevakt::agent {

struct ShipEvent {
  enum class Kind : std::uint8_t {
    kAcknowledged,
    kWanted,   // the collector wants `sequence` of `epoch` first: offer from there
    kTrouble,  // first failure of a row: nothing is lost, it is tried again
    kRefused,  // first refusal of a row: a person is needed, it is tried again all the same
    kWell,     // works again after trouble
    kFork,
    kFalseLog,  // as a fork: nothing more is sent
  };
  Kind kind = Kind::kAcknowledged;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  std::string detail;
  std::string proof;           // of kAcknowledged and kFalseLog, as in HandoverResult
  std::optional<SeenLog> log;  // likewise
  auto operator<=>(const ShipEvent&) const = default;
};

class ShipLane {
 public:
  explicit ShipLane(Duration retry_max) : retry_max_{retry_max} {}

  // Replaces what still waits.
  void offer(std::vector<OutgoingFrame> frames);
  // The frame to send at `now` (any steady clock), or nullptr. Valid until result() or offer().
  [[nodiscard]] const OutgoingFrame* next(Duration now) const;
  // When next() may answer differently without an offer; nullopt: only after an offer.
  [[nodiscard]] std::optional<Duration> due() const;
  // What came of sending `sent`; ignored when the lane has turned to other frames meanwhile.
  void result(const OutgoingFrame& sent, const HandoverResult& result, Duration now,
              std::uint32_t unit);

  [[nodiscard]] std::vector<ShipEvent> take_events();
  [[nodiscard]] std::size_t waiting() const { return frames_.size(); }
  [[nodiscard]] bool forked() const { return forked_; }

 private:
  void wait(Duration now, std::uint32_t unit);
  void say(ShipEvent::Kind kind, std::string detail);

  Duration retry_max_;
  std::deque<OutgoingFrame> frames_;
  std::vector<ShipEvent> events_;
  Duration not_before_;
  std::uint32_t failures_ = 0;
  bool refused_ = false;
  bool forked_ = false;
};

}  // namespace meldevakt::agent
