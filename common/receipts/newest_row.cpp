#include "common/receipts/newest_row.h"

#include <algorithm>
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

Receipt newest_row(const std::set<Receipt>& rows) {
  Receipt out = *std::max_element(rows.begin(), rows.end(), [](const Receipt& a, const Receipt& b) {
    return newness(a) < newness(b);
  });
  for (const Receipt& row : rows) {
    if (row.sent && (!out.sent || *row.sent < *out.sent)) out.sent = row.sent;
    if (out.form == FormType::kUnknown) out.form = row.form;
    if (out.channel.empty()) out.channel = row.channel;
    if (out.district.empty()) out.district = row.district;
  }
  return out;
}

}  // namespace meldevakt
