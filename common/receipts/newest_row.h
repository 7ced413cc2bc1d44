// What counts of all that a portal told of one message.
//
//   Receipt counts = newest_row({{as_imported_first, monday}, {as_imported_later, tuesday}});
//
// By what the rows say, and not by the order in which they came: the row confirmed last is the
// portal's newest word, of unconfirmed ones a printed row (it was first tried otherwise); the
// earliest `sent` and what that row leaves open (form, channel, district) are taken from the
// others. Only a row whose times lay ahead of the list it stood in counts for nothing beside
// another: it tells of what had not happened (a wrong zone, a wrong year), and would keep a message
// that is lost waiting until then. Pure. Thread-safety: pure functions. Cost: O(n).
#pragma once

#include <map>

#include "common/base/time.h"
#include "common/receipts/receipts.h"

namespace meldevakt {

// What lies further ahead of when it was told is a wrong time, not a clock that is a little fast.
inline constexpr Duration kRowAheadMax = minutes(10);

// A row that was ahead by less when it was first told may be right, and the clock that it was read
// by slow: a list that holds it when its time has come tells it anew.
inline constexpr Duration kRowDoubtfulMax = hours(24);

// A row and when a list that holds it was read: first, or when it was told anew.
using ToldRows = std::map<Receipt, Instant>;

[[nodiscard]] bool is_told_anew(const Receipt& row, Instant told, Instant now);
[[nodiscard]] bool lies_ahead(const Receipt& row, Instant told);

// `rows`: of one portal and message, at least one.
[[nodiscard]] Receipt newest_row(const ToldRows& rows);

}  // namespace meldevakt
