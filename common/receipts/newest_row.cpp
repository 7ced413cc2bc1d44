#include "common/receipts/newest_row.h"

#include <algorithm>
#include <tuple>

#include "common/base/check.h"

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

Receipt newest_row(const ToldRows& rows) {
  const bool all_ahead = std::all_of(rows.begin(), rows.end(), [](const auto& entry) {
    return lies_ahead(entry.first, entry.second);
  });
  const auto counts = [all_ahead](const auto& entry) {
    return all_ahead || !lies_ahead(entry.first, entry.second);
  };
  const Receipt* newest = nullptr;
  for (const auto& entry : rows) {
    if (!counts(entry)) continue;
    if (newest == nullptr || newness(*newest) < newness(entry.first)) newest = &entry.first;
  }
  MELDEVAKT_CHECK(newest != nullptr);  // REQUIRES: there is one, and one that counts then
  Receipt out = *newest;
  for (const auto& entry : rows) {
    if (!counts(entry)) continue;
    const Receipt& row = entry.first;
    if (row.sent && (!out.sent || *row.sent < *out.sent)) out.sent = row.sent;
    if (out.form == FormType::kUnknown) out.form = row.form;
    if (out.channel.empty()) out.channel = row.channel;
    if (out.district.empty()) out.district = row.district;
  }
  return out;
}

}  // namespace meldevakt
