// One attempt to hand a frame over, and what came of it. Implemented over HTTPS (https.h with
// collector_answers.h), as files (carry.h), and by tests.
#pragma once

#include <cstdint>
#include <string>

namespace meldevakt::agent {

struct OutgoingFrame {
  std::string tenant;
  std::string agent;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  std::string bytes;
};

enum class Handover : std::uint8_t {
  kStored,   // durable on the other side: the outbox may let go of it
  kAhead,    // the other side wants `next_sequence` first
  kFork,     // the other side has other bytes, or another history, under this number
  kRefused,  // understood and refused; the same bytes will hardly fare better
  kRetry,    // nobody there, or not able just now
};

struct HandoverResult {
  Handover outcome = Handover::kRetry;
  std::uint64_t next_sequence = 0;  // for kAhead
  std::string detail;               // for people
};

class FrameSender {
 public:
  virtual ~FrameSender() = default;
  // Blocks, within its timeouts. Never throws.
  [[nodiscard]] virtual HandoverResult send(const OutgoingFrame& frame) = 0;
};

}  // namespace meldevakt::agent
