// What the commands that read share: the database opened beside whoever writes, Norwegian time, and
// where their text goes.
// Thread-safety: as the store's. Errors: as SqliteStore::open, with the remedy.
#pragma once

#include <memory>
#include <string>

#include "collector/app/config.h"
#include "collector/store/sqlite_store.h"
#include "common/base/result.h"
#include "common/ports/time_zone.h"

namespace meldevakt::collector {

[[nodiscard]] Result<std::unique_ptr<SqliteStore>> open_to_read(const Config& config);
// The zone of what people read and write.
[[nodiscard]] Result<std::shared_ptr<const TimeZone>> oslo();
void print(const std::string& text);  // to stdout

}  // namespace meldevakt::collector
