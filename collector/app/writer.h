// Who writes: the running server, or this command with the database to itself (collector.lock).
#pragma once

#include <memory>

#include "collector/app/config.h"
#include "collector/app/control.h"
#include "common/base/result.h"
#include "common/ports/clock.h"

namespace meldevakt::collector {

// Holds what the call needs (the lock and the store, or the connection) until it goes away.
// kExists: another command has the database and did not end in time.
[[nodiscard]] Result<ControlCall> find_writer(const Config& config, Clock& clock, Random& random);

}  // namespace meldevakt::collector
