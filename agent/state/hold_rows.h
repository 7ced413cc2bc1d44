// The state's tables of holds: written in the agent's transaction, read at its start and by
// `hold list|open`. Of erased holds the newest kErasedHoldsMax rows remain.
// Thread-safety, errors: as Database.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/hold/hold.h"
#include "agent/state/database.h"
#include "common/base/result.h"

namespace meldevakt::agent {

inline constexpr std::int64_t kErasedHoldsMax = 1000;

struct StoredHolds {
  std::vector<Hold> holds;                             // by number
  std::vector<HoldPart> parts;                         // by hold and number; see HoldKeeper
  std::map<std::string, std::vector<TapeMark>> marks;  // by source
};
// Parts of holds that are collecting and of the newest kHoldsAtHandMax that are closed.
[[nodiscard]] Result<StoredHolds> read_holds(Database& db);
[[nodiscard]] Result<std::vector<HoldPart>> read_hold_parts(Database& db, const std::string& hold);
// REQUIRES: inside a transaction.
[[nodiscard]] Status write_holds(Database& db, const HoldChange& change);

}  // namespace meldevakt::agent
