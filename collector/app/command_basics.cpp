#include "collector/app/command_basics.h"

#include <cstdio>
#include <string>
#include <vector>

#include "collector/registry/registry_csv.h"
#include "collector/report/table.h"
#include "common/base/text.h"
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

void print(const std::string& text, bool json, const TimeZone& zone) {
  print(json ? text : with_local_times(text, zone));
}

Result<Instant> time_given(const std::string& text, const std::string& option) {
  MELDEVAKT_TRY_ASSIGN(const std::shared_ptr<const TimeZone> zone, oslo());
  auto time = text.empty() ? Result<Instant>{Error{Errc::kInvalid, "a date or RFC 3339 is needed"}}
                           : registry_time(text, {}, *zone);
  if (!time) return std::move(time).error().in(option);
  return time;
}

Result<Verdict> verdict_named(const std::string& name) {
  if (const auto verdict = verdict_from_string(name)) return *verdict;
  std::vector<std::string> names;
  for (int i = 0; i <= static_cast<int>(Verdict::kUnreceipted); ++i) {
    names.emplace_back(to_string(static_cast<Verdict>(i)));
  }
  std::string all;
  for (const std::string& one : names) all += (all.empty() ? "" : ", ") + one;
  const auto nearest = nearest_name(name, names);
  return Error{Errc::kInvalid, "--verdict: no verdict is called '" + meldevakt::quoted(name) + "'" +
                                   (nearest ? "; did you mean '" + *nearest + "'?" : ";") +
                                   " There are " + all};
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace meldevakt::collector
