// A portal's CSV, row by row, as records of a log: what SourcePipeline makes of a source that reads
// receipts (the shipped pack portal-receipts cuts out the rows).
//
//   ReceiptRows rows{{.portal = "npb", .columns = {}, .zone = oslo}};
//   if (auto receipt = rows.read(record)) ...; else note(receipt.error())   // says nothing of the
//   row
//
// Which column holds what, and how times are read: common/receipts. Pure. Thread-safety: none.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/frame/record.h"
#include "common/base/result.h"
#include "common/ports/time_zone.h"
#include "common/receipts/headings.h"
#include "common/receipts/receipts.h"
#include "common/summary/fact.h"

namespace meldevakt::agent {

struct ReceiptSettings {
  std::string portal;     // as the collector's configuration calls it
  ColumnMapping columns;  // besides default_columns()
  std::shared_ptr<const TimeZone> zone;
  ListOwner owner{};  // whose rows are taken
};

class ReceiptRows {
 public:
  explicit ReceiptRows(ReceiptSettings settings) : settings_{std::move(settings)} {}

  // `record`: the field view of one row. kInvalid: what is wrong, never what the row says.
  [[nodiscard]] Result<Receipt> read(const Record& record);

  [[nodiscard]] const ReceiptSettings& settings() const { return settings_; }

 private:
  ReceiptSettings settings_;
  std::vector<std::string> names_;  // of the columns that `columns_` were found in
  Result<FieldColumns> columns_ = FieldColumns{};
};

// Named by what they say: the same row in another file, or read again, is the same fact.
[[nodiscard]] std::string receipt_fact_id(std::string_view fact_key, const Receipt& receipt);
[[nodiscard]] std::string receipt_fact_id(std::string_view fact_key,
                                          const ReceiptCoverage& coverage);

}  // namespace meldevakt::agent
