// A message with its verdict, as the tests of incidents put them together.
#pragma once

#include <string>
#include <utility>

#include "collector/correlate/correlate.h"
#include "common/base/time.h"

namespace meldevakt::collector::testing {

inline constexpr Instant kStart{1'772'445'600'000};

// Receipted `second` after kStart; the portal keeps it for 30 days.
inline MessageVerdict judged_message(std::string name, Verdict verdict, std::string cause,
                                     std::int64_t second) {
  MessageVerdict out;
  out.message = std::move(name);
  out.verdict = verdict;
  out.cause = std::move(cause);
  out.receipted = kStart + seconds(second);
  out.purge_deadline = *out.receipted + days(30);
  return out;
}

}  // namespace meldevakt::collector::testing
