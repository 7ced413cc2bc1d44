#include "agent/ship/shipper.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "common/base/bytes.h"

namespace meldevakt::agent {

struct Shipper::Shared {
  explicit Shared(Duration retry_max) : lane{retry_max} {}

  std::mutex mutex;
  std::condition_variable changed;
  ShipLane lane;
  bool stopping = false;
  bool ended = false;

  // The thread's own.
  std::unique_ptr<FrameSender> sender;
  Random* random = nullptr;
  std::function<void()> wake;
};

namespace {

Duration steady_now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::milliseconds>(now).count()};
}

}  // namespace

Shipper::Shipper(std::unique_ptr<FrameSender> sender, Duration retry_max, Random& random,
                 std::function<void()> wake)
    : shared_{std::make_shared<Shared>(retry_max)} {
  shared_->sender = std::move(sender);
  shared_->random = &random;
  shared_->wake = std::move(wake);
  std::thread{run, shared_}.detach();  // ended by stop(), or with the process when it hangs
}

Shipper::~Shipper() {
  if (!stopped_) static_cast<void>(Shipper::stop(seconds(1)));
}

void Shipper::run(std::shared_ptr<Shared> shared) {
  if (shared->sender->begin()) shared->wake();
  std::unique_lock lock{shared->mutex};
  for (;;) {
    const OutgoingFrame* next = shared->lane.next(steady_now());
    if (next == nullptr) {
      if (shared->stopping) break;  // what could be sent is sent
      if (const auto due = shared->lane.due()) {
        shared->changed.wait_for(lock, std::chrono::milliseconds{(*due - steady_now()).ms + 1});
      } else {
        shared->changed.wait(lock);
      }
      continue;
    }
    const OutgoingFrame frame = *next;
    lock.unlock();
    const HandoverResult result = shared->sender->send(frame);
    lock.lock();
    shared->lane.result(frame, result, steady_now(), read_u32(shared->random->bytes(4)));
    lock.unlock();
    shared->wake();
    lock.lock();
  }
  shared->sender.reset();
  shared->ended = true;
  shared->changed.notify_all();
}

void Shipper::offer(std::vector<OutgoingFrame> frames) {
  const std::lock_guard lock{shared_->mutex};
  shared_->lane.offer(std::move(frames));
  shared_->changed.notify_all();
}

std::size_t Shipper::waiting() const {
  const std::lock_guard lock{shared_->mutex};
  return shared_->lane.waiting();
}

std::vector<ShipEvent> Shipper::take_events() {
  const std::lock_guard lock{shared_->mutex};
  return shared_->lane.take_events();
}

bool Shipper::stop(Duration patience) {
  stopped_ = true;
  std::unique_lock lock{shared_->mutex};
  shared_->stopping = true;
  shared_->changed.notify_all();
  return shared_->changed.wait_for(lock, std::chrono::milliseconds{patience.ms},
                                   [this] { return shared_->ended; });
}

}  // namespace meldevakt::agent
