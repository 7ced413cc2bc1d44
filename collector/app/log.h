// Our own log on stderr: "2026-11-26T10:00:00.000Z INFO collector: text". One write a line, so
// lines of several threads do not mix; control characters and broken UTF-8 are written as \xNN.
// Thread-safety: the sink is safe for concurrent use.
#pragma once

#include "collector/http/message.h"
#include "common/ports/clock.h"

namespace meldevakt::collector {

[[nodiscard]] LogSink stderr_log(Clock& clock);

}  // namespace meldevakt::collector
