#include "common/receipts/counting_rows.h"

#include <doctest/doctest.h>

#include <string_view>
#include <vector>

namespace meldevakt {
namespace {

constexpr Instant kSent{1'675'000'000'000};

// Sent so long after kSent and confirmed five seconds later.
Receipt row(Duration after, Duration until_confirmed = seconds(5), const char* portal = "npb") {
  Receipt out;
  out.portal = portal;
  out.message_id = "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10";
  out.sent = kSent + after;
  out.confirmed = kSent + after + until_confirmed;
  return out;
}

using Groups = std::vector<std::vector<std::size_t>>;

TEST_CASE("rows_in_zones: what can be one sending, told in several zones") {
  const Receipt waits = [] {
    Receipt out = row(hours(1));
    out.confirmed.reset();
    return out;
  }();
  struct Case {
    std::string_view name;
    std::vector<Receipt> rows;
    Groups want;
  };
  const std::vector<Case> cases{
      {"one", {row({})}, {}},
      {"the same twice", {row({}), row({})}, {}},
      {"an hour apart, the later first", {row(hours(1)), row({})}, {{1, 0}}},
      {"a quarter", {row({}), row(minutes(15))}, {{0, 1}}},
      {"no quarter", {row({}), row(minutes(10))}, {}},
      {"a quarter and a millisecond", {row({}), row(minutes(15) + milliseconds(1))}, {}},
      {"as far as zones lie", {row({}), row(kZonesApartMax)}, {{0, 1}}},
      {"further", {row({}), row(kZonesApartMax + minutes(15))}, {}},
      {"no chain: none is further from another than zones lie",
       {row({}), row(hours(14)), row(hours(28))},
       {{0, 1}}},
      {"confirmed after another while", {row({}), row(hours(1), seconds(6))}, {}},
      {"another portal's", {row({}), row(hours(1), seconds(5), "annen")}, {}},
      {"not confirmed yet", {row({}), waits}, {}},
      {"two that say the same, and a third", {row({}), row(hours(1)), row({})}, {{0, 2, 1}}},
      {"two sendings",
       {row({}), row(minutes(7)), row(hours(2)), row(hours(2) + minutes(7))},
       {{0, 2}, {1, 3}}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(rows_in_zones(c.rows) == c.want);
  }
}

}  // namespace
}  // namespace meldevakt
