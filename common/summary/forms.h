// The forms that texts on the wire take. No form has room for free text (invariant 2).
//
// Whoever makes a text that will be sent (the rule packs' loader, the configuration) checks it with
// the same functions as the collector's decoder, so that nothing is built that would be refused.
// Thread-safety: pure functions.
#pragma once

#include <cstddef>
#include <string_view>

#include "common/base/time.h"

namespace meldevakt {

// A name a person chose (tenant, source, rule, pack, version): 1 to limits::kIdentifierBytesMax
// bytes of UTF-8 without control characters.
[[nodiscard]] bool is_name(std::string_view text);

// A code ("pg/55P03", "lock_wait", "agent_stopped"): 1 to limits::kIdentifierBytesMax visible ASCII
// characters, so no blanks.
[[nodiscard]] bool is_code(std::string_view text);

// Lower-case hexadecimal digits, exactly `digits` of them.
[[nodiscard]] bool is_hex(std::string_view text, std::size_t digits);

// The number of a bydel within its municipality, "03"; "00" where it has none. Two digits
// (DOMAIN.md 1, BydelEnkel: ^\d{2}$), so that nothing else fits.
[[nodiscard]] bool is_district_number(std::string_view text);

// Years 1970 to 9999: what Instant can be on the wire.
inline constexpr Instant kWireTimeMax{253'402'300'799'999};
[[nodiscard]] bool is_wire_time(Instant time);

}  // namespace meldevakt
