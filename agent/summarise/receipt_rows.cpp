#include "agent/summarise/receipt_rows.h"

#include <algorithm>
#include <utility>

#include "agent/frame/field_view.h"
#include "common/ports/sha256.h"

namespace meldevakt::agent {
namespace {

// What field_view.h escapes, as it stood in the file.
std::string plain(std::string_view shown) {
  std::string out;
  for (std::size_t at = 0; at < shown.size(); ++at) {
    char c = shown[at];
    if (c == '\\' && at + 1 < shown.size()) {
      c = shown[++at];
      if (c == 'n') c = '\n';
      if (c == 'r') c = '\r';
    }
    out.push_back(c);
  }
  return out;
}

struct Row {
  std::vector<std::string> names;
  std::vector<std::string> values;
};

Row row_of(std::string_view view) {
  Row out;
  while (!view.empty()) {
    const std::string_view line = view.substr(0, view.find('\n'));
    std::size_t equals = 0;
    while (equals < line.size() && line[equals] != '=') equals += line[equals] == '\\' ? 2U : 1U;
    equals = std::min(equals, line.size());
    out.names.push_back(plain(line.substr(0, equals)));
    out.values.push_back(plain(line.substr(std::min(equals + 1, line.size()))));
    if (line.size() == view.size()) break;
    view.remove_prefix(line.size() + 1);
  }
  return out;
}

std::string text_of(std::optional<Instant> time) {
  return time ? std::to_string(time->ms) : "";
}

std::string id_of(std::string_view key, const std::string& what) {
  return hmac_sha256(key, what).hex().substr(0, 32);
}

}  // namespace

Result<Receipt> ReceiptRows::read(const Record& record) {
  if (record.malformed) return Error{Errc::kInvalid, "a quote is not closed"};
  if (record.truncated) return Error{Errc::kInvalid, "the row is too long"};
  if (record.orphan) return Error{Errc::kInvalid, "no row of column names stands above it"};
  Row row = row_of(record.text);
  // What the header does not name has a number for a name.
  if (!row.names.empty() && row.names.front() == column_name(1)) {
    return Error{Errc::kInvalid, "the row has fewer fields than the header"};
  }
  if (!row.names.empty() && row.names.back() == column_name(row.names.size())) {
    return Error{Errc::kInvalid, "the row has more fields than the header"};
  }
  if (row.names != names_) {
    columns_ = find_columns(row.names, settings_.columns);
    names_ = std::move(row.names);
  }
  if (!columns_) return columns_.error();
  return receipt_of_row(row.values, columns_.value(), settings_.portal, *settings_.zone,
                        settings_.owner);
}

std::string receipt_fact_id(std::string_view fact_key, const Receipt& receipt) {
  return id_of(fact_key, "receipt|" + receipt.portal + "|" + receipt.message_id + "|" +
                             text_of(receipt.sent) + "|" + text_of(receipt.confirmed) + "|" +
                             std::string{to_string(receipt.form)} + "|" + receipt.channel + "|" +
                             receipt.district);
}

std::string receipt_fact_id(std::string_view fact_key, const ReceiptCoverage& coverage) {
  return id_of(fact_key, "receipts_complete|" + coverage.portal + "|" +
                             text_of(coverage.span.from) + "|" + text_of(coverage.span.to));
}

}  // namespace meldevakt::agent
