// One attempt to hand a frame over, and what came of it. Implemented over HTTPS (https.h with
// collector_answers.h), as files (carry.h), and by tests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "common/seal/seen_log.h"

namespace meldevakt::agent {

struct OutgoingFrame {
  std::string tenant;
  std::string agent;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  std::string bytes;
};

enum class Handover : std::uint8_t {
  kStored,    // durable on the other side: the outbox may let go of it
  kAhead,     // the other side wants `next_sequence` first
  kFork,      // the other side has other bytes, or another history, under this number
  kFalseLog,  // the other side's log contradicts what it signed before, or leaves this frame out
  kRefused,   // understood and refused; the same bytes will hardly fare better
  kRetry,     // nobody there, or not able just now
};

struct HandoverResult {
  HandoverResult() = default;
  HandoverResult(Handover what, std::uint64_t next, std::string words)
      : outcome{what}, next_sequence{next}, detail{std::move(words)} {}

  Handover outcome = Handover::kRetry;
  std::uint64_t next_sequence = 0;  // for kAhead
  std::string detail;               // for people
  // Of kStored, where the other side keeps a log: what proves that the frame stands in it
  // (C2SP tlog-proof), and the log as it is seen from now on. Of kFalseLog: what was shown.
  std::string proof;
  std::optional<SeenLog> log;
};

class FrameSender {
 public:
  virtual ~FrameSender() = default;
  // Before the first frame, in the thread that sends. Blocks, within its timeouts. Whether there is
  // something to look at now.
  [[nodiscard]] virtual bool begin() { return false; }
  // Blocks, within its timeouts. Never throws.
  [[nodiscard]] virtual HandoverResult send(const OutgoingFrame& frame) = 0;
};

}  // namespace meldevakt::agent
