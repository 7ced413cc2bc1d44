// The chain of one agent's statements, and the one decision what to do with the next (invariant 6).
//
// Thread-safety: pure functions on plain values.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/bytes.h"
#include "common/base/time.h"
#include "common/summary/statement.h"

namespace meldevakt {

// Where an agent's chain ends. Before the first statement: next = 0, link = hash of the enrolment.
struct ChainHead {
  std::uint64_t epoch = 0;
  std::uint64_t next_sequence = 0;
  Sha256 link;    // link hash of the newest statement, or of the enrolment
  Instant until;  // `to` of the newest statement; 0 before the first
  auto operator<=>(const ChainHead&) const = default;
};

enum class ChainDecision : std::uint8_t {
  kExtends,    // the next link: store it and move the head
  kDuplicate,  // an earlier link, same bytes: answer as then
  kFork,       // an earlier number with other bytes, or the next number on another history: alarm
  kAhead,      // links are missing in between: the agent must send from next_sequence
};
[[nodiscard]] std::string_view to_string(ChainDecision decision);

// `link` is the statement's own link hash; `stored_link` that of the stored statement with the same
// number, when there is one (only needed for numbers below head.next_sequence).
[[nodiscard]] ChainDecision decide(const ChainHead& head, const Statement& statement,
                                   const Sha256& link, const Sha256* stored_link);

// The head after a statement that extends.
[[nodiscard]] ChainHead advance(const Statement& statement, const Sha256& link);

}  // namespace meldevakt
