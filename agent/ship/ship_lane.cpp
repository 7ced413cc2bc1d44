#include "agent/ship/ship_lane.h"

#include <iterator>
#include <utility>

#include "agent/ship/backoff.h"

namespace meldevakt::agent {

void ShipLane::offer(std::vector<OutgoingFrame> frames) {
  frames_.assign(std::make_move_iterator(frames.begin()), std::make_move_iterator(frames.end()));
}

const OutgoingFrame* ShipLane::next(Duration now) const {
  if (forked_ || frames_.empty() || now < not_before_) return nullptr;
  return &frames_.front();
}

std::optional<Duration> ShipLane::due() const {
  if (forked_ || frames_.empty()) return std::nullopt;
  return not_before_;
}

void ShipLane::result(const OutgoingFrame& sent, const HandoverResult& result, Duration now,
                      std::uint32_t unit) {
  if (frames_.empty()) return;
  const std::uint64_t epoch = frames_.front().epoch;
  const std::uint64_t sequence = frames_.front().sequence;
  if (sent.epoch != epoch || sent.sequence != sequence) return;
  switch (result.outcome) {
    case Handover::kStored:
      if (failures_ > 0) say(ShipEvent::Kind::kWell, "");
      failures_ = 0;
      refused_ = false;
      events_.push_back(
          {ShipEvent::Kind::kAcknowledged, epoch, sequence, "", result.proof, result.log});
      frames_.pop_front();
      return;
    case Handover::kAhead:
      if (result.next_sequence >= sequence) {  // it cannot want this one first: no sense in it
        wait(now, unit);
        say(ShipEvent::Kind::kTrouble,
            "the collector's answer makes no sense: it wants statement " +
                std::to_string(result.next_sequence) + " before " + std::to_string(sequence));
        return;
      }
      frames_.clear();
      events_.push_back({ShipEvent::Kind::kWanted, epoch, result.next_sequence, "", "", {}});
      return;
    case Handover::kFork:
      forked_ = true;
      events_.push_back({ShipEvent::Kind::kFork, epoch, sequence, result.detail, "", {}});
      return;
    case Handover::kFalseLog:
      forked_ = true;
      events_.push_back(
          {ShipEvent::Kind::kFalseLog, epoch, sequence, result.detail, result.proof, result.log});
      return;
    case Handover::kRefused:
      wait(now, unit);
      if (!refused_) say(ShipEvent::Kind::kRefused, result.detail);
      refused_ = true;
      return;
    case Handover::kRetry:
      wait(now, unit);
      if (failures_ == 1) say(ShipEvent::Kind::kTrouble, result.detail);
      return;
  }
}

void ShipLane::wait(Duration now, std::uint32_t unit) {
  ++failures_;
  not_before_ = now + backoff(failures_, retry_max_, unit);
}

void ShipLane::say(ShipEvent::Kind kind, std::string detail) {
  const std::uint64_t epoch = frames_.empty() ? 0 : frames_.front().epoch;
  const std::uint64_t sequence = frames_.empty() ? 0 : frames_.front().sequence;
  events_.push_back({kind, epoch, sequence, std::move(detail), "", {}});
}

std::vector<ShipEvent> ShipLane::take_events() {
  return std::exchange(events_, {});
}

}  // namespace meldevakt::agent
