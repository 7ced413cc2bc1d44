// The schema, as numbered steps. A step that has been released is never edited: the next change is
// the next step. SCHEMA.md describes the result. All steps and what catch_up_logs adds to them are
// one transaction, the caller's: a database is brought up to date as a whole, or stays as it was.
// Errors: kInvalid when the database is another program's, or made by a newer version.
#pragma once

#include "collector/store/sqlite.h"

namespace meldevakt::collector {

inline constexpr int kSchemaVersion = 5;
inline constexpr int kApplicationId = 0x4d564b31;  // "MVK1": tells our databases from others

// Returns the version that the database had; 0: it was empty. REQUIRES: a transaction is open.
[[nodiscard]] Result<int> migrate(sql::Connection& connection);
// For readers: the version must be ours already.
[[nodiscard]] Status check_version(sql::Connection& connection);

}  // namespace meldevakt::collector
