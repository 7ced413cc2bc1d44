#include "common/receipts/counting_rows.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string_view>
#include <tuple>

namespace meldevakt {
namespace {

constexpr Duration kZoneStep = minutes(15);  // zones lie whole quarters of an hour apart

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

std::vector<std::vector<std::size_t>> rows_in_zones(const std::vector<Receipt>& rows) {
  std::vector<std::vector<std::size_t>> out;
  if (rows.size() < 2) return out;
  // Those that can be of one sending stand beside each other, by its time.
  struct Place {
    std::string_view portal;
    Duration until_confirmed;
    std::int64_t within_quarter_ms;
    Instant sent;
    std::size_t row;
    auto operator<=>(const Place&) const = default;
    [[nodiscard]] bool can_be(const Place& later) const {
      return portal == later.portal && until_confirmed == later.until_confirmed &&
             within_quarter_ms == later.within_quarter_ms && later.sent - sent <= kZonesApartMax;
    }
  };
  std::vector<Place> places;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Receipt& row = rows[i];
    if (!row.sent || !row.confirmed) continue;
    places.push_back(
        {row.portal, *row.confirmed - *row.sent, row.sent->ms % kZoneStep.ms, *row.sent, i});
  }
  std::sort(places.begin(), places.end());
  for (std::size_t begin = 0, i = 0; i < places.size(); ++i) {
    if (i + 1 < places.size() && places[begin].can_be(places[i + 1])) continue;
    if (places[begin].sent != places[i].sent) {
      std::vector<std::size_t>& group = out.emplace_back();
      for (std::size_t at = begin; at <= i; ++at) group.push_back(places[at].row);
    }
    begin = i + 1;
  }
  return out;
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
