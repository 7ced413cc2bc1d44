#include "agent/ship/shipper.h"

#include <doctest/doctest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/testing/doubles.h"

namespace meldevakt::agent {
namespace {

// A network in which each send waits until the test lets it through.
struct Gate {
  std::mutex mutex;
  std::condition_variable changed;
  int open = 0;
  int sent = 0;

  void let(int count) {
    const std::lock_guard lock{mutex};
    open += count;
    changed.notify_all();
  }
};

class GatedSender : public FrameSender {
 public:
  explicit GatedSender(std::shared_ptr<Gate> gate) : gate_{std::move(gate)} {}
  HandoverResult send(const OutgoingFrame&) override {
    std::unique_lock lock{gate_->mutex};
    gate_->changed.wait(lock, [this] { return gate_->open > 0; });
    --gate_->open;
    ++gate_->sent;
    return {Handover::kStored, 0, ""};
  }

 private:
  std::shared_ptr<Gate> gate_;
};

TEST_CASE("Shipper: sends in its own thread, in order, and wakes the loop") {
  const auto gate = std::make_shared<Gate>();
  auto random = std::make_shared<meldevakt::testing::SeededRandom>(1);
  std::mutex mutex;
  std::condition_variable woken;
  int wakes = 0;
  {
    Shipper shipper{std::make_unique<GatedSender>(gate), seconds(1), *random, [&] {
                      const std::lock_guard lock{mutex};
                      ++wakes;
                      woken.notify_all();
                    }};
    shipper.offer({{"t", "a", 0, 1, "x"}, {"t", "a", 0, 2, "y"}, {"t", "a", 0, 3, "z"}});
    gate->let(2);
    {
      std::unique_lock lock{mutex};
      woken.wait(lock, [&] { return wakes == 2; });
    }
    const std::vector<ShipEvent> events = shipper.take_events();
    REQUIRE(events.size() == 2);
    CHECK(events[0].sequence == 1);
    CHECK(events[1].sequence == 2);
    CHECK(shipper.waiting() == 1);
    gate->let(1);
    CHECK(shipper.stop(seconds(60)));  // what can be sent is sent
    CHECK(shipper.take_events().size() == 1);
  }
  CHECK(gate->sent == 3);
}

TEST_CASE("Shipper: a stop does not wait for a network that hangs") {
  const auto gate = std::make_shared<Gate>();
  // Lives on with the thread.
  static meldevakt::testing::SeededRandom random{1};
  Shipper shipper{std::make_unique<GatedSender>(gate), seconds(1), random, [] {}};
  shipper.offer({{"t", "a", 0, 1, "x"}});
  CHECK_FALSE(shipper.stop(milliseconds(20)));
  gate->let(1);
  CHECK(shipper.stop(seconds(60)));
}

}  // namespace
}  // namespace meldevakt::agent
