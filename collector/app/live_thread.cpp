#include "collector/app/live_thread.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "collector/store/sqlite_store.h"
#include "common/platform/fed_program.h"

namespace meldevakt::collector {
namespace {

std::size_t bytes_of(const LiveArrival& arrival) {
  std::size_t out = sizeof arrival;
  if (const auto* const frame = std::get_if<LiveArrival::Frame>(&arrival.what)) {
    out += frame->frame.frame.envelope.size();
    for (const std::string& body : frame->frame.frame.bodies) out += body.size();
  } else if (const auto* const rows = std::get_if<LiveArrival::Rows>(&arrival.what)) {
    out += rows->rows.size() * sizeof(Receipt);
  }
  return out;
}

// What was told is no evidence: a damaged register is set aside rather than that agents wait.
Result<std::unique_ptr<ToldRegister>> open_told(const LiveThread::Parts& parts) {
  const bool for_program = !parts.on_finding.empty();
  auto told = ToldRegister::open(parts.told, for_program);
  if (told || told.error().code() != Errc::kCorrupt) return told;
  const std::string aside = parts.told + ".damaged";
  parts.log(LogLevel::kError, parts.told + ": " + told.error().message() + "; set aside as " +
                                  aside + ", and what is open is told once more");
  if (std::rename(parts.told.c_str(), aside.c_str()) != 0) return told;
  return ToldRegister::open(parts.told, for_program);
}

}  // namespace

class LiveThread::Work {
 public:
  Work(Parts parts, std::unique_ptr<Store> store, std::unique_ptr<ToldRegister> told)
      : parts_{std::move(parts)},
        store_{std::move(store)},
        told_{std::move(told)},
        live_{{*store_, *told_, parts_.policy, parts_.clock, parts_.log}},
        program_{parts_.on_finding, kTimeLimit} {}

  [[nodiscard]] Status start() {
    MELDEVAKT_TRY(live_.start());
    thread_ = std::thread{[this] { run(); }};
    return {};
  }

  void put(LiveArrival arrival) {
    const std::lock_guard lock{mutex_};
    const std::size_t bytes = bytes_of(arrival);
    if (arrivals_.size() >= kArrivalsMax || bytes_ + bytes > kArrivalBytesMax) {
      reread_.insert(arrival.tenant);
    } else {
      bytes_ += bytes;
      arrivals_.push_back(std::move(arrival));
    }
    changed_.notify_one();
  }

  void registered() {
    const std::lock_guard lock{mutex_};
    registered_ = true;
    changed_.notify_one();
  }

  void stop() {
    {
      const std::lock_guard lock{mutex_};
      stopping_ = true;
      changed_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
  }

 private:
  [[nodiscard]] Duration steady() const { return milliseconds(parts_.clock.boot_ns() / 1'000'000); }

  void run() {
    work();
    end_program();
  }

  // A program that has been given a finding has had it when it ends: who stops in between would
  // give it once more.
  void end_program() {
    const Duration until = steady() + LiveThread::kStopPatience;
    std::unique_lock lock{mutex_};
    while (program_.running() && steady() < until) {
      lock.unlock();
      look_after_program();
      lock.lock();
      if (program_.running()) changed_.wait_for(lock, std::chrono::milliseconds{kProgramLook.ms});
    }
  }

  // One piece of work after the other, the longest of which is reading one tenant; stop() waits for
  // one at most.
  void work() {
    for (;;) {
      std::optional<LiveArrival> next;
      bool registered = false;
      bool more = false;
      {
        const std::lock_guard lock{mutex_};
        if (stopping_) return;
        registered = std::exchange(registered_, false);
        next = take();
        more = next && !arrivals_.empty() && ++together_ < kTakenTogetherMax;
        if (!more) together_ = 0;
      }
      if (registered) live_.registered();
      if (next) live_.take(*next, more);
      if (more) continue;
      live_.settle_due();
      const bool loaded = !next && live_.load_one();
      const bool again = feed();
      if (!next && !loaded && !again) wait();
    }
  }

  // REQUIRES: the mutex.
  [[nodiscard]] std::optional<LiveArrival> take() {
    if (!arrivals_.empty()) {
      LiveArrival out = std::move(arrivals_.front());
      arrivals_.pop_front();
      bytes_ -= bytes_of(out);
      return out;
    }
    if (reread_.empty()) return std::nullopt;
    LiveArrival out{*reread_.begin(), LiveArrival::Reread{}};
    reread_.erase(reread_.begin());
    return out;
  }

  void wait() {
    Duration idle = live_.idle_for();
    if (program_.running()) idle = std::min(idle, kProgramLook);
    if (steady() < retry_at_) idle = std::min(idle, retry_at_ - steady());
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, std::chrono::milliseconds{idle.ms}, [this] {
      return stopping_ || registered_ || !arrivals_.empty() || !reread_.empty();
    });
  }

  // Looks after the operator's program. True: there is more to do at once. A finding leaves the
  // register only when the program has had it; one that cannot be run now gets it later.
  bool feed() {
    if (parts_.on_finding.empty()) return false;
    look_after_program();
    if (program_.running() || steady() < retry_at_) return false;
    const auto waiting = told_->waiting();
    if (!waiting) return put_off(waiting.error());
    if (!waiting.value()) return false;
    const std::int64_t number = waiting.value()->number;
    if (number <= given_) return cross_out(number);  // it could not be done before
    const Status started = program_.start(waiting.value()->json + "\n", steady());
    if (!started && started.error().code() != Errc::kLimit) return put_off(started.error());
    in_hand_ = number;
    say(started);
    return !started && cross_out(number);
  }

  void look_after_program() {
    const auto ended = program_.poll(steady());
    if (!ended) return;
    if (!ended->well) parts_.log(LogLevel::kWarn, "on_finding: " + ended->words);
    cross_out(in_hand_);
  }

  bool cross_out(std::int64_t number) {
    given_ = std::max(given_, number);
    const Status done = told_->given(number);
    if (!done) return put_off(done.error());
    say(done);
    return true;
  }

  bool put_off(const Error& error) {
    say(error);
    retry_at_ = steady() + LiveThread::kProgramRetry;
    return false;
  }

  void say(const Status& status) {
    if (!status && !failed_) {
      parts_.log(LogLevel::kError, "on_finding: " + status.error().message());
    }
    failed_ = !status;
  }

  Parts parts_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<ToldRegister> told_;
  LiveCorrelation live_;
  FedProgram program_;
  std::int64_t in_hand_ = 0;  // what the program is at
  std::int64_t given_ = 0;    // the newest that it has had
  Duration retry_at_;
  bool failed_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<LiveArrival> arrivals_;
  std::size_t bytes_ = 0;
  std::size_t together_ = 0;  // taken since something was decided
  std::set<std::string> reread_;
  bool registered_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

LiveThread::LiveThread(std::unique_ptr<Work> work) : work_{std::move(work)} {}

LiveThread::~LiveThread() {
  stop();
}

Result<std::unique_ptr<LiveThread>> LiveThread::start(Parts parts) {
  MELDEVAKT_TRY_ASSIGN(std::unique_ptr<SqliteStore> store,
                       SqliteStore::open({parts.database, "", true}));
  MELDEVAKT_TRY_ASSIGN(std::unique_ptr<ToldRegister> told, open_told(parts));
  auto work = std::make_unique<Work>(std::move(parts), std::move(store), std::move(told));
  MELDEVAKT_TRY(work->start());
  return std::unique_ptr<LiveThread>{new LiveThread{std::move(work)}};
}

void LiveThread::frame(const VerifiedFrame& frame, Instant received) {
  work_->put({frame.statement.tenant, LiveArrival::Frame{frame, received}});
}

void LiveThread::rows(const std::string& tenant, const ImportResult& result,
                      const std::optional<ReceiptCoverage>& coverage) {
  if (result.rows.empty() && !coverage) return;
  work_->put({tenant, LiveArrival::Rows{result.rows, coverage, result.told}});
}

void LiveThread::told(const std::string& tenant) {
  work_->put({tenant, LiveArrival::ToldByPeople{}});
}

void LiveThread::registered() {
  work_->registered();
}

void LiveThread::stop() {
  work_->stop();
}

}  // namespace meldevakt::collector
