// Which column of a file holds which field of a receipt, found from the headings.
// Pure. Thread-safety: pure functions.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/receipts/receipts.h"

namespace meldevakt {

// "Sendt inn" and "SENDT-INN" are one heading, "Mottatt på" and "mottatt paa" are not.
[[nodiscard]] std::string folded(std::string_view utf8);

using FieldColumns = std::map<std::string, std::size_t>;  // field of Receipt -> column
// kInvalid: a required column is missing or stands twice; the mapping names no such field.
[[nodiscard]] Result<FieldColumns> find_columns(const std::vector<std::string>& headings,
                                                const ColumnMapping& columns);

// ';' or ',' (or a tab), whichever cuts the first row into more fields.
[[nodiscard]] char separator_of(std::string_view csv);

}  // namespace meldevakt
