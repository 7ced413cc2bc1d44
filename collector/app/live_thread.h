// The thread on which the running collector concludes (live_correlation.h), so that no agent waits
// for a verdict: a bounded queue in, a connection of its own that only reads, on_finding out.
//
//   MELDEVAKT_TRY_ASSIGN(auto live, LiveThread::start(parts));
//   live->frame(verified, received);         // from any thread, after the commit; never blocks
//   live->stop();                            // ends what it does at that moment; idempotent
//
// The queue holds at most kArrivalsMax arrivals of together kArrivalBytesMax; the tenant of what
// comes beyond is read again from the store instead. on_finding: one program at a time, kTimeLimit
// each (common/platform/fed_program.h); what waits for it survives a restart (told_register.h).
//
// Thread-safety: safe for concurrent use but for stop(). Errors: of the database and of told.db.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "collector/app/live_correlation.h"

namespace meldevakt::collector {

class LiveThread {
 public:
  static constexpr std::size_t kArrivalsMax = 4'096;
  static constexpr std::size_t kArrivalBytesMax = 64 * 1024 * 1024;
  // What waits is added together before it is decided, up to so many: a tenant whose decisions are
  // dear (very many messages tied together) holds up the others once, not once an arrival.
  static constexpr std::size_t kTakenTogetherMax = 256;
  static constexpr Duration kTimeLimit = seconds(10);
  static constexpr Duration kProgramLook = milliseconds(100);
  // How long stop() lets a program end that has been given a finding.
  static constexpr Duration kStopPatience = seconds(3);
  // A program that cannot be run, or a told.db that cannot be written, is tried again so often.
  static constexpr Duration kProgramRetry = seconds(30);

  struct Parts {
    std::string database;    // of the store, which exists
    std::string told;        // told.db
    std::string on_finding;  // full path of a program; "": none
    Policy policy;
    meldevakt::Clock& clock;
    LogSink log;
  };
  [[nodiscard]] static Result<std::unique_ptr<LiveThread>> start(Parts parts);
  ~LiveThread();  // as stop()
  LiveThread(const LiveThread&) = delete;
  LiveThread& operator=(const LiveThread&) = delete;

  void frame(const VerifiedFrame& frame, Instant received);
  void rows(const std::string& tenant, const ImportResult& result,
            const std::optional<ReceiptCoverage>& coverage);
  void registered();
  void told(const std::string& tenant);  // by a person
  void stop();

 private:
  class Work;
  explicit LiveThread(std::unique_ptr<Work> work);
  std::unique_ptr<Work> work_;
};

}  // namespace meldevakt::collector
