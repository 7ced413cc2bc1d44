// The one thread that the store lives on, behind a bounded queue.
//
// Requests, invitations and imports all come through here, one after the other: the store needs no
// lock, and what a request saw is what the next one finds. Thread-safety: post() from any thread;
// finish() from the owner's.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>

namespace meldevakt::collector {

class StoreStrand {
 public:
  explicit StoreStrand(std::size_t queue_max);
  ~StoreStrand();  // as finish()
  StoreStrand(const StoreStrand&) = delete;
  StoreStrand& operator=(const StoreStrand&) = delete;

  // False, and `job` is not taken, when the queue is full.
  [[nodiscard]] bool post(std::function<void()> job);
  // Runs what is queued and ends the thread.
  void finish();

 private:
  struct Thread;
  std::size_t queue_max_;
  std::atomic<std::size_t> waiting_ = 0;
  std::unique_ptr<Thread> thread_;
};

}  // namespace meldevakt::collector
