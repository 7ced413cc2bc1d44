// Whether a pattern can be matched without trying again and again what was tried: the check that
// keeps the cost of a pattern linear in the text, where its form alone decides. Private to
// agent/recognise.
//
// Backtracking explodes where one stretch of text can be divided in many ways among repetitions.
// Refused, each with a remedy:
//   (a?)*  (a|)*       what is repeated may be empty
//   (a{1,5}){0,20}     a repetition ends where the next turn of the one around it may begin
//   (a|ab)*            alternatives under a repetition begin alike
//   \d+\d+  .*\s*      two unbounded repetitions of the same characters, with nothing that must
//                      stand between them
// What stays possible, several unbounded repetitions with something between them, is bounded by
// Pattern::kUnboundedMax and the match limit.
//
// Thread-safety: pure. Errors: kInvalid. REQUIRES: balanced groups (check_pattern()), PCRE2's own
// syntax (translate_pattern()).
#pragma once

#include <string_view>

#include "common/base/result.h"

namespace meldevakt::agent {

[[nodiscard]] Status check_cost(std::string_view pcre);

}  // namespace meldevakt::agent
