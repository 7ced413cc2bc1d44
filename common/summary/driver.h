// What an overload's driver says: the code names its cause, what waits for a cause, or only what
// overload looks like. Agents and collector choose between several by it, most telling first.
//
//   driver_rank("storage_full") > driver_rank("lock_wait") > driver_rank("timeout")
//
// Pure. Thread-safety: pure function.
#pragma once

#include <string_view>

namespace meldevakt {

inline constexpr int kDriverNone = 0;     // ""
inline constexpr int kDriverSymptom = 1;  // timeouts, slowness, lost and refused connections
inline constexpr int kDriverWait = 2;     // locks, deadlocks: somebody holds what others need
inline constexpr int kDriverCause = 3;    // a backup, something full, memory, a disk, a check

[[nodiscard]] int driver_rank(std::string_view driver);
// Work that is planned and lasts: of an overload that it encloses it is the driver.
[[nodiscard]] bool is_long_work(std::string_view driver);

}  // namespace meldevakt
