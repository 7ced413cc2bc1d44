#include "common/summary/driver.h"

#include <algorithm>
#include <array>

namespace meldevakt {
namespace {

constexpr std::array<std::string_view, 10> kSymptoms{
    "slow",        "timeout",  "connection_lost", "connections_refused",
    "save_failed", "rejected", "retried",         "retry",
    "pool",        "web"};
constexpr std::array<std::string_view, 5> kWaits{"lock_wait", "deadlock", "contention", "busy",
                                                 "workers"};

}  // namespace

int driver_rank(std::string_view driver) {
  if (driver.empty()) return kDriverNone;
  const auto is_one_of = [driver](const auto& names) {
    return std::find(names.begin(), names.end(), driver) != names.end();
  };
  if (is_one_of(kSymptoms)) return kDriverSymptom;
  return is_one_of(kWaits) ? kDriverWait : kDriverCause;
}

bool is_long_work(std::string_view driver) {
  return driver == "backup" || driver == "checkdb";
}

}  // namespace meldevakt
