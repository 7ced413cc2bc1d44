// A source's share of the newest statement, as people read it in `status`.
// Thread-safety: pure.
#pragma once

#include <string>

#include "agent/summarise/source_pipeline.h"

namespace meldevakt::agent {

// One line of JSON; members: state, reason, read, recognised, unrecognised, dropped, pending,
// records, watermark, pack, version, observes {signal: last seen or null}.
[[nodiscard]] std::string coverage_json(const SourceYield& yield);

}  // namespace meldevakt::agent
