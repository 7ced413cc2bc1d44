#include "collector/app/command_basics.h"

#include <cstdio>

#include "common/platform/time_zones.h"

namespace meldevakt::collector {

Result<std::unique_ptr<SqliteStore>> open_to_read(const Config& config) {
  auto store = SqliteStore::open({config.in_data("collector.db"), "", true});
  if (!store) {
    return std::move(store).error().in("nothing to read yet? run 'meldevakt-collector init'");
  }
  return store;
}

Result<std::shared_ptr<const TimeZone>> oslo() {
  SystemTimeZones zones;
  return zones.find("Europe/Oslo");
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace meldevakt::collector
