// A register of many tenants as people keep it: a CSV file, one entry a row.
//
//   tenant;kind;value;label;from;until
//   Eksempel kommune;municipality;1505;1508;;2024-01-01
//   Eksempel kommune;contact;dpo;Kari Prøve, dpo@eksempel.example;2023-01-01;
//
// Separator ';', ',' or tab, found from the header; any order of columns; `label`, `from` and
// `until` may be missing or empty. Times: a date (its first moment in the zone) or RFC 3339;
// `until` is the first moment for which the entry does not hold any more.
//
// Pure. Bounds: kRegistryBytesMax. Errors: kInvalid for the file as a whole; a bad row is told with
// its number and costs no other row.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "collector/registry/registry.h"
#include "common/base/result.h"
#include "common/ports/time_zone.h"
#include "common/receipts/receipts.h"

namespace meldevakt::collector {

inline constexpr std::size_t kRegistryBytesMax = 16 * 1024 * 1024;

struct TenantEntry {
  std::string tenant;  // by name or id
  RegistryEntry entry;
};
struct RegistryRows {
  std::vector<TenantEntry> entries;
  std::vector<RowError> errors;
  std::uint64_t rows = 0;
  std::uint64_t bad_rows = 0;  // may be more than `errors` lists
};
[[nodiscard]] Result<RegistryRows> parse_registry(std::string_view csv, const TimeZone& zone);

// "2024-01-01", RFC 3339, or as it is printed for people ("26.11.2026 10:00:00", the date alone
// too); `empty` for "". kInvalid.
[[nodiscard]] Result<Instant> registry_time(std::string_view text, Instant empty,
                                            const TimeZone& zone);

}  // namespace meldevakt::collector
