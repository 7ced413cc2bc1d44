#include "common/seal/chain.h"

#include <string_view>

namespace meldevakt {

std::string_view to_string(ChainDecision decision) {
  switch (decision) {
    case ChainDecision::kExtends: return "extends";
    case ChainDecision::kDuplicate: return "duplicate";
    case ChainDecision::kFork: return "fork";
    case ChainDecision::kAhead: return "ahead";
  }
  return "unknown";
}

ChainDecision decide(const ChainHead& head, const Statement& statement, const Sha256& link,
                     const Sha256* stored_link) {
  // A number of the past: only the very bytes that are stored under it are acceptable. That nothing
  // is stored under it does not make it new.
  if (statement.epoch < head.epoch ||
      (statement.epoch == head.epoch && statement.sequence < head.next_sequence)) {
    const bool same = stored_link != nullptr && *stored_link == link;
    return same ? ChainDecision::kDuplicate : ChainDecision::kFork;
  }
  const bool is_next = statement.epoch == head.epoch && statement.sequence == head.next_sequence;
  const bool opens_next_epoch = statement.epoch == head.epoch + 1 && statement.sequence == 0;
  if (!is_next && !opens_next_epoch) return ChainDecision::kAhead;

  const bool is_first = head.until == Instant{};
  const bool follows =
      statement.previous == head.link && (is_first || statement.span.from == head.until);
  if (follows) return ChainDecision::kExtends;
  // The first link of an epoch names the last one of the epoch before. When that is not the one we
  // hold, links may be missing in between: sending them tells a gap from a fork.
  return is_next ? ChainDecision::kFork : ChainDecision::kAhead;
}

ChainHead advance(const Statement& statement, const Sha256& link) {
  return {.epoch = statement.epoch,
          .next_sequence = statement.sequence + 1,
          .link = link,
          .until = statement.span.to};
}

}  // namespace meldevakt
