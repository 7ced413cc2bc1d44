// Names and messages of packs: which names may be, and how a mistake is told. Private to
// agent/recognise. Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"

namespace meldevakt::agent {

// "file:12: what" as a kInvalid error; line 0 is left out.
[[nodiscard]] Error pack_error(std::string_view file, std::uint32_t line, std::string_view what);

// For messages: 'text', with what cannot be printed escaped.
[[nodiscard]] std::string in_quotes(std::string_view text);

// "; did you mean 'x'?", or " (there are a, b, c)".
[[nodiscard]] std::string did_you_mean(std::string_view name,
                                       const std::vector<std::string>& known);

// Names that leave the house (packs, rules, drivers; and codes, which have a wider alphabet):
// short, plain, and no identity number in disguise.
[[nodiscard]] bool is_plain_name(std::string_view text);
[[nodiscard]] bool is_plain_code(std::string_view text);

}  // namespace meldevakt::agent
