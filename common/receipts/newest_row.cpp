#include "common/receipts/newest_row.h"

#include <algorithm>
#include <tuple>
#include <vector>

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
  std::vector<const Receipt*> counting;
  for (const auto& [row, told] : rows) {
    if (!lies_ahead(row, told)) counting.push_back(&row);
  }
  if (counting.empty()) {
    for (const auto& [row, told] : rows) counting.push_back(&row);
  }
  MELDEVAKT_CHECK(!counting.empty());
  Receipt out = **std::max_element(
      counting.begin(), counting.end(),
      [](const Receipt* a, const Receipt* b) { return newness(*a) < newness(*b); });
  for (const Receipt* row : counting) {
    if (row->sent && (!out.sent || *row->sent < *out.sent)) out.sent = row->sent;
    if (out.form == FormType::kUnknown) out.form = row->form;
    if (out.channel.empty()) out.channel = row->channel;
    if (out.district.empty()) out.district = row->district;
  }
  return out;
}

}  // namespace meldevakt
