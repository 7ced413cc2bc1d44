// One rule against one record: does it match, and what do its typed fields say. Private to
// agent/recognise. Thread-safety: none (the Matcher is the caller's).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/recognise/program.h"
#include "common/base/time.h"
#include "common/privacy/privacy.h"

namespace meldevakt::agent {

struct RuleMatch {
  MatchOutcome outcome = MatchOutcome::kNoMatch;
  std::string code;
  std::optional<FormType> form;
  std::string district;
  std::optional<Duration> lasted;
  std::vector<Reference> references;     // as captured, after the privacy step
  std::uint32_t references_dropped = 0;  // the privacy step gave nothing for them
};

// `found`: the literals that occur in the record. Most rules are done with this.
[[nodiscard]] inline bool has_literals(const Rule& rule, const LiteralSet& found) {
  return (found & rule.all_of) == rule.all_of &&
         (rule.any_of.none() || (found & rule.any_of).any());
}

// REQUIRES: has_literals(). `body`: what rules see of the record.
[[nodiscard]] RuleMatch match_rule(const Rule& rule, std::string_view body,
                                   const PrivacyStep& privacy, Matcher& matcher);

}  // namespace meldevakt::agent
