// What a pack's pattern may say, checked on its text before PCRE2 sees it; and the translation of
// templates and typed fields into PCRE2's own syntax. Private to agent/recognise.
// Thread-safety: pure functions. Errors: kInvalid, with a remedy.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "agent/recognise/pattern.h"
#include "common/base/result.h"

namespace meldevakt::agent {

struct Translated {
  std::string pcre;           // templates expanded, field names replaced by f0, f1, ...
  std::vector<Field> fields;  // f0, f1, ...
};
[[nodiscard]] Result<Translated> translate_pattern(std::string_view text);

// Refuses what cannot be matched in bounded time (pattern.h).
[[nodiscard]] Status check_pattern(std::string_view text);

}  // namespace meldevakt::agent
