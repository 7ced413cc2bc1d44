// A secret typed at the terminal, unseen. Never from a pipe: a program that has it in a file says
// so by its own option. Thread-safety: none; one at a time. Errors: kInvalid (there is no
// terminal), kLimit, kIo.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"

namespace meldevakt {

inline constexpr std::size_t kTypedBytesMax = 4096;

[[nodiscard]] Result<std::string> read_passphrase(std::string_view prompt);

}  // namespace meldevakt
