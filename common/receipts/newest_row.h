// What counts of all that a portal told of one message.
//
//   Receipt counts = newest_row({as_imported_first, as_imported_later});
//
// By what the rows say, never by when they came: the row confirmed last is the portal's newest
// word, of unconfirmed ones a printed row (it was first tried otherwise); the earliest `sent` and
// what that row leaves open (form, channel, district) are taken from the others. Pure.
// Thread-safety: pure function. Cost: O(n).
#pragma once

#include <set>

#include "common/receipts/receipts.h"

namespace meldevakt {

// `rows`: of one portal and message, at least one.
[[nodiscard]] Receipt newest_row(const std::set<Receipt>& rows);

}  // namespace meldevakt
