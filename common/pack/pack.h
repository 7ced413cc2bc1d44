// Bounded Zstandard: the only door between compressed and plain bytes.
//
//   std::string packed = pack(json);
//   MELDEVAKT_TRY_ASSIGN(std::string json, unpack(packed, statement.bodies[0].plain_bytes));
//
// unpack never produces more than `plain_bytes` (itself at most limits::kBodyPlainBytesMax),
// refuses windows above limits::kZstdWindowLogMax before any output, and requires exactly one frame
// with exactly that much in it. Memory: at most plain_bytes + the window. Thread-safety: pure.
// Errors: kCorrupt, kLimit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace meldevakt {

inline constexpr int kPackLevel =
    3;  // EVIDENCE.md section 5: level 19 costs 260 times as much for 10-35 %

[[nodiscard]] std::string pack(std::string_view plain);
[[nodiscard]] Result<std::string> unpack(std::string_view packed, std::uint64_t plain_bytes);

}  // namespace meldevakt
