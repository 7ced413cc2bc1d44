// One rule against one record: does it match, and what do its typed fields say. Private to
// agent/recognise. Thread-safety: none (the Matcher is the caller's).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/recognise/program.h"
#include "common/privacy/privacy.h"

namespace meldevakt::agent {

struct RuleMatch {
  MatchOutcome outcome = MatchOutcome::kNoMatch;
  std::string code;
  std::optional<FormType> form;
  std::vector<Reference> references;     // as captured, after the privacy step
  std::uint32_t references_dropped = 0;  // the privacy step gave nothing for them
};

// `body`: what rules see of the record; `found`: the literals that occur in the record at all.
[[nodiscard]] RuleMatch match_rule(const Rule& rule, std::string_view body, const LiteralSet& found,
                                   const PrivacyStep& privacy, Matcher& matcher);

}  // namespace meldevakt::agent
