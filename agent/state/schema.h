// The tables of state.db and the steps between their versions (PRAGMA user_version).
//
// A state of a newer version is refused (kInvalid): going back would lose what it does not know.
#pragma once

#include "agent/state/database.h"
#include "common/base/result.h"

namespace meldevakt::agent {

inline constexpr std::int64_t kStateVersion = 7;

[[nodiscard]] Status migrate(Database& db);        // in one transaction
[[nodiscard]] Status check_version(Database& db);  // exactly ours; for reading
[[nodiscard]] Status check_integrity(Database& db);

}  // namespace meldevakt::agent
