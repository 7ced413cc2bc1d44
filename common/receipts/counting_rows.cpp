#include "common/receipts/counting_rows.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>

namespace meldevakt {
namespace {

// How new a row is, with every tie broken. An unconfirmed message that is printed was first tried
// otherwise.
auto newness(const Receipt& receipt) {
  return std::make_tuple(receipt.confirmed, receipt.channel == kPrintChannel,
                         receipt.form != FormType::kUnknown, receipt);
}

}  // namespace

bool lies_ahead(const Receipt& row, Instant told) {
  const Instant limit = told + kRowAheadMax;
  return (row.sent && limit < *row.sent) || (row.confirmed && limit < *row.confirmed);
}

bool is_told_anew(const Receipt& row, Instant told, Instant now) {
  return lies_ahead(row, told) && !lies_ahead(row, told + kRowDoubtfulMax) && !lies_ahead(row, now);
}

RowTelling telling_of(const Receipt& row, Instant told) {
  return {!lies_ahead(row, told), lies_ahead(row, told + kRowDoubtfulMax)};
}

bool are_of_two_zones(const Receipt& a, const Receipt& b) {
  if (a.portal != b.portal || !a.sent || !b.sent || !a.confirmed || !b.confirmed) return false;
  const Duration apart = *b.sent - *a.sent;
  return apart != Duration{} && apart <= kZonesApartMax && Duration{} - apart <= kZonesApartMax &&
         apart.ms % minutes(15).ms == 0 && *b.confirmed - *a.confirmed == apart;
}

std::vector<Receipt> counting_rows(const std::vector<WeighedRow>& rows) {
  std::set<std::string_view> right;  // portals of which any row counts
  for (const WeighedRow& row : rows) {
    if (row.telling.counts()) right.insert(row.row.portal);
  }
  std::vector<Receipt> out;
  for (const WeighedRow& row : rows) {
    if (row.telling.counts() || right.count(row.row.portal) == 0) out.push_back(row.row);
  }
  std::sort(out.begin(), out.end());
  return out;
}

bool is_newer(const Receipt& a, const Receipt& b) {
  return newness(b) < newness(a);
}

}  // namespace meldevakt
