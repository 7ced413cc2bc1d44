// Sends in a thread of its own, so that a slow network never delays reading: ShipLane's decisions
// with a FrameSender behind them.
//
// Thread-safety: offer, take_events, waiting and stop may be called from one other thread.
// stop() lets the thread send what can be sent now and end, and waits at most `patience` for that;
// false means that it still hangs in the network. It is then left to the end of the process.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "agent/ship/frame_sender.h"
#include "agent/ship/ship_lane.h"
#include "common/base/time.h"
#include "common/ports/random.h"

namespace meldevakt::agent {

// What the agent's loop sees of it; tests put an inline one in its place.
class Dispatcher {
 public:
  virtual ~Dispatcher() = default;
  // Replaces what still waits. REQUIRES: waiting() == 0, so that nothing is sent twice for nothing.
  virtual void offer(std::vector<OutgoingFrame> frames) = 0;
  [[nodiscard]] virtual std::size_t waiting() const = 0;
  [[nodiscard]] virtual std::vector<ShipEvent> take_events() = 0;
  [[nodiscard]] virtual bool stop(Duration patience) = 0;
};

class Shipper : public Dispatcher {
 public:
  // `wake` is called from the thread when there are events. `random` must outlive the thread.
  Shipper(std::unique_ptr<FrameSender> sender, Duration retry_max, Random& random,
          std::function<void()> wake);
  ~Shipper() override;
  Shipper(const Shipper&) = delete;
  Shipper& operator=(const Shipper&) = delete;

  void offer(std::vector<OutgoingFrame> frames) override;
  [[nodiscard]] std::size_t waiting() const override;
  [[nodiscard]] std::vector<ShipEvent> take_events() override;
  [[nodiscard]] bool stop(Duration patience) override;

 private:
  struct Shared;
  static void run(std::shared_ptr<Shared> shared);
  std::shared_ptr<Shared> shared_;
  bool stopped_ = false;
};

}  // namespace meldevakt::agent
