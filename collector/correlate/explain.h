// One English sentence for each reason, with times in UTC (RFC 3339) and codes in words, and the
// short word for the cause that incidents are grouped by. Pure. Thread-safety: pure functions.
#pragma once

#include <string>
#include <vector>

#include "collector/correlate/decide.h"
#include "collector/correlate/signs.h"
#include "collector/correlate/words.h"

namespace meldevakt::collector {

struct Candidates {
  std::vector<std::string> messages;  // sorted; whom the unclear signal could belong to
  std::size_t more = 0;               // as many again that are not listed
  bool too_many = false;              // more than kSharedByMax; none is listed
};

[[nodiscard]] std::string explain(const Decision& decision, const Signs& signs,
                                  const Candidates& candidates);

// MessageVerdict::cause: a code ("pg/55P03") where a failure of its own is known, else a word of
// words.cpp; "" where nothing is wrong.
[[nodiscard]] std::string cause_of(const Decision& decision, const Signs& signs);

}  // namespace meldevakt::collector
