// "coverage": what is known of a tenant's sources between two times, and by which packs; what the
// portals' rows are complete for; which agents are silent. Reads the database only.
//
// text: a line a stretch. json: one object a line: {"agent","source","axis":"event","from","to",
// "state","reason","packs":[{"id","version","sha256"}],"observes":[...]}, {..."axis":"reading"...},
// {"portal","complete":[...],"unknown":[...]}, {"agent","first","last","clock_error_ms","ahead_ms",
// "silent","holes":[...]}, and last {"overloads":[...]} (DESIGN "Overload windows").
//
// An agent that enrolled and never told of anything is listed by that alone, and nothing is
// complete.
//
// Errors: kInvalid (no such tenant, a source that no agent ever told of, times that are none or in
// the wrong order), kNotFound, kIo.
#pragma once

#include <string>

#include "collector/app/config.h"
#include "common/base/result.h"
#include "common/base/time.h"

namespace meldevakt::collector {

struct CoverageOptions {
  std::string tenant;  // by name or id
  std::string source;  // "" = all
  std::string from;    // RFC 3339
  std::string until;
  Instant now;
  bool json = false;
};
struct CoverageText {
  std::string text;
  bool complete = false;  // every source was read throughout, as far as is known
};
[[nodiscard]] Result<CoverageText> tell_coverage(const Config& config,
                                                 const CoverageOptions& options);

}  // namespace meldevakt::collector
