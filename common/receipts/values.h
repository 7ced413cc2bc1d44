// The values of a portal's cells: times as Norwegian systems write them, ids, channels, forms.
// Pure. Thread-safety: pure functions. Errors say what is expected, never what was there.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/ports/time_zone.h"
#include "common/summary/signal.h"

namespace meldevakt {

enum class Reading : std::uint8_t { kEarlier, kLater };  // of a local time that occurs twice

[[nodiscard]] std::string_view trimmed(std::string_view text);
// nullopt: the cell is empty.
[[nodiscard]] Result<std::optional<Instant>> parse_cell_time(std::string_view text,
                                                             const TimeZone& zone, Reading reading);
[[nodiscard]] FormType form_from_cell(std::string_view text);  // kUnknown for what it does not know
// "" when it is no opaque id: too long, not plain, or with a number in it that could be a person's.
[[nodiscard]] std::string district_from_cell(std::string_view text);

}  // namespace meldevakt
