#include "common/summary/driver.h"

#include <doctest/doctest.h>

namespace meldevakt {
namespace {

TEST_CASE("driver_rank: causes say more than waits, and waits more than what overload looks like") {
  for (const char* cause : {"backup", "checkdb", "storage_full", "log_full", "disk", "disk_full",
                            "memory", "cpu", "restart"}) {
    CHECK(driver_rank(cause) == kDriverCause);
  }
  for (const char* wait : {"lock_wait", "deadlock", "contention", "busy", "workers"}) {
    CHECK(driver_rank(wait) == kDriverWait);
  }
  for (const char* symptom : {"timeout", "slow", "connection_lost", "connections_refused", "pool",
                              "web", "retry", "save_failed"}) {
    CHECK(driver_rank(symptom) == kDriverSymptom);
  }
  CHECK(driver_rank("") == kDriverNone);
  CHECK(is_long_work("backup"));
  CHECK(is_long_work("checkdb"));
  CHECK_FALSE(is_long_work("disk"));
}

}  // namespace
}  // namespace meldevakt
