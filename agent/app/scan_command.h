// `scan`: what the rules of the packs say of old logs, as JSON lines.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/ports/time_zone.h"

namespace meldevakt::agent {

// A moment on the command line: RFC 3339 with an offset; or without one, also cut after the minute
// or the date, in `zone` (UTC without). The earlier reading in the hour that autumn repeats.
[[nodiscard]] Result<Instant> parse_moment(std::string_view text, const TimeZone* zone);

}  // namespace meldevakt::agent
