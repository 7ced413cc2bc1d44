// What a pack can tell at all, beside its `observes`: for `check`, which says what will not be
// seen. Thread-safety: pure.
#pragma once

#include <vector>

#include "agent/recognise/pack.h"
#include "common/summary/signal.h"

namespace meldevakt::agent {

struct PackAbilities {
  bool times_carry_offset = false;  // all do, or the log says it elsewhere
  bool has_scopes = false;          // failure lines can be told whose they are
  bool tells_restarts = false;      // some rule knows that a new process began
};
[[nodiscard]] PackAbilities abilities_of(const Pack& pack);

// By which names its rules and scopes can name a message, sorted.
[[nodiscard]] std::vector<ReferenceType> names_of_messages(const Pack& pack);

}  // namespace meldevakt::agent
