// What the agent itself tells at once, in the house: nobody has to wait for the collector.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"
#include "common/summary/fact.h"

namespace meldevakt::agent {

enum class FindingKind : std::uint8_t {
  kFailedCommit,          // a save failed and no later commit came within the grace time
  kReceiptWithoutCommit,  // receipted, and no commit within the grace time
  kReceiptBeforeCommit,   // receipted, then committed: the fault is there, nobody was hurt yet
};
[[nodiscard]] std::string_view to_string(FindingKind kind);  // "failed_commit", ...

struct Finding {
  FindingKind kind = FindingKind::kFailedCommit;
  std::vector<Reference> references;  // of the message; empty when no message can be named
  Instant time;                       // event time of the record that decided
  std::string source;
  std::string code;
  std::string sentence;  // English, for the agent's own log
  auto operator<=>(const Finding&) const = default;
};

}  // namespace meldevakt::agent
