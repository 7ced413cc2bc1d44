// What counts of all that a portal told of one message, in lists that were imported and to agents.
//
//   std::vector<Receipt> rows = counting_rows({{earlier, telling_of(earlier, monday)},
//                                              {later, telling_of(later, tuesday)}});
//
// By what the rows say, and not by the order in which they came. All of them count (a message that
// is sent again is confirmed again: both receipts were given), but for a row whose times lay ahead
// of the list it stood in, beside one that counts: it tells of what had not happened (a wrong zone,
// a wrong year), and would keep a message that is lost waiting until then. The row confirmed last
// is the portal's newest word, of unconfirmed ones a printed row (it was first tried otherwise).
// Pure. Thread-safety: pure functions. Cost: O(n log n).
#pragma once

#include <cstddef>
#include <vector>

#include "common/base/time.h"
#include "common/receipts/receipts.h"

namespace meldevakt {

// What lies further ahead of when it was told is a wrong time, not a clock that is a little fast.
inline constexpr Duration kRowAheadMax = minutes(10);

// A row that was ahead by less when it was first told may be right, and the clock that it was read
// by slow: a list that holds it when its time has come tells it anew.
inline constexpr Duration kRowDoubtfulMax = hours(24);

[[nodiscard]] bool is_told_anew(const Receipt& row, Instant told, Instant now);
[[nodiscard]] bool lies_ahead(const Receipt& row, Instant told);

// Of all times that one row was told, in whatever order they become known.
struct RowTelling {
  bool in_time = true;     // once its times did not lie ahead
  bool far_ahead = false;  // once they did, by more than may be a slow clock: a wrong time for good

  [[nodiscard]] bool counts() const { return in_time && !far_ahead; }
  void add(const RowTelling& other) {
    in_time = in_time || other.in_time;
    far_ahead = far_ahead || other.far_ahead;
  }
  auto operator<=>(const RowTelling&) const = default;
};
[[nodiscard]] RowTelling telling_of(const Receipt& row, Instant told);

// Of one message's rows: those that tell the same sending and receipt as if read in several zones
// (both times later by the same whole quarters of an hour), as places in `rows`, the earliest
// first. One of the lists was read in a wrong one, and nobody knows which. Each group holds two
// times or more, none further apart than kZonesApartMax; each row stands in one at most. Cost:
// O(n log n).
inline constexpr Duration kZonesApartMax = hours(14);
[[nodiscard]] std::vector<std::vector<std::size_t>> rows_in_zones(const std::vector<Receipt>& rows);

struct WeighedRow {
  Receipt row;
  RowTelling telling;
};

// Of one message: those that count, sorted. What one portal told excuses no other's.
[[nodiscard]] std::vector<Receipt> counting_rows(const std::vector<WeighedRow>& rows);

// Which of two that count is the portal's newer word.
[[nodiscard]] bool is_newer(const Receipt& a, const Receipt& b);

}  // namespace meldevakt
