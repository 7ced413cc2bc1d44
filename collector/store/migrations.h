// The schema, as numbered steps. A step that has been released is never edited: the next change is
// the next step. SCHEMA.md describes the result. Each step commits with its number in user_version,
// so a crash in between continues where it stopped.
// Errors: kInvalid when the database is another program's, or made by a newer version.
#pragma once

#include "collector/store/sqlite.h"

namespace meldevakt::collector {

inline constexpr int kSchemaVersion = 4;
inline constexpr int kApplicationId = 0x4d564b31;  // "MVK1": tells our databases from others

[[nodiscard]] Status migrate(sql::Connection& connection);
// For readers: the version must be ours already.
[[nodiscard]] Status check_version(sql::Connection& connection);

}  // namespace meldevakt::collector
