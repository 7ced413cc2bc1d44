// Lines as the two programs write them. Pure. Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "common/base/time.h"
#include "common/ports/time_zone.h"

namespace meldevakt::sim {

// What made a save fail, or an overload.
enum class Trouble : std::uint8_t { kStatementTimeout, kLockTimeout, kDeadlock, kStorageFull };
inline constexpr std::uint64_t kTroubles = 4;

// "2023-02-01 09:14:22,101 [17] INFO  Innboks - text": log4net's layout.
[[nodiscard]] std::string trace_line(Instant time, int thread, std::string_view level,
                                     std::string_view logger_and_text, const TimeZone& zone);
// A failed save as the swallowing handler logs it: with level INFO, and the driver's stack trace.
[[nodiscard]] std::string failed_save(Instant time, int thread, Trouble trouble,
                                      const TimeZone& zone);

// "2023-02-01 09:14:22.101 CET [4711]: user=...,client=10.0.0.7 LOG:  text"
[[nodiscard]] std::string database_line(Instant time, int process, std::string_view application,
                                        std::string_view severity_and_text, const TimeZone& zone);
// The database's own code of a failed save, as a reader of its log line gives it: "pg/57014".
[[nodiscard]] std::string code_of(Trouble trouble);
// What the database itself says of the trouble.
[[nodiscard]] std::string_view words_of(Trouble trouble);

// A backup job that starts (event 110) or ends (190), as Veeam's server sends it to syslog.
[[nodiscard]] std::string backup_line(Instant time, int event, const TimeZone& zone);

// "01.02.2023 09:14:22"
[[nodiscard]] std::string portal_time(Instant time, const TimeZone& zone);

}  // namespace meldevakt::sim
