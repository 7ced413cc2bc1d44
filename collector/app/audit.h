// `audit`: everything that is kept, told again from its own bytes (SqliteStore::audit), read-only
// and beside a running serve. What does not agree is the result and no failure: exit status 1.
//
// Errors: kNotFound (no database, no key yet), kIo.
#pragma once

#include <string>

#include "collector/app/config.h"
#include "collector/app/inspect.h"
#include "common/base/result.h"

namespace meldevakt::collector {

// `open`: something does not hold.
[[nodiscard]] Result<Inspected> audit_store(const Config& config, bool json);

}  // namespace meldevakt::collector
