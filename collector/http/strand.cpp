#include "collector/http/strand.h"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <utility>

namespace meldevakt::collector {

struct StoreStrand::Thread {
  boost::asio::thread_pool pool{1};
};

StoreStrand::StoreStrand(std::size_t queue_max)
    : queue_max_{queue_max}, thread_{std::make_unique<Thread>()} {}

StoreStrand::~StoreStrand() {
  finish();
}

bool StoreStrand::post(std::function<void()> job) {
  if (waiting_.fetch_add(1) >= queue_max_) {
    --waiting_;
    return false;
  }
  boost::asio::post(thread_->pool, [this, work = std::move(job)] {
    work();
    --waiting_;
  });
  return true;
}

void StoreStrand::finish() {
  thread_->pool.join();
}

}  // namespace meldevakt::collector
