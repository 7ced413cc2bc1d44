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
// The same; people read the times of their clock, programs RFC 3339.
void print(const std::string& text, bool json, const TimeZone& zone);
// What registry_time() reads, in Norway's zone, given as `option`. kInvalid names the option.
[[nodiscard]] Result<Instant> time_given(const std::string& text, const std::string& option);
// kInvalid names the nearest, and all.
[[nodiscard]] Result<Verdict> verdict_named(const std::string& name);

}  // namespace meldevakt::collector
