// Comma-separated values (RFC 4180): where a record ends, and its fields. Private to agent/frame.
//
//   CsvScan scan{','};
//   for (line of a record) { scan.add(line); if (!scan.in_quotes()) break; }
//
// A quote opens at a field's beginning only, so that a stray one (5" disk) does no harm; in quotes
// "" is one quote. Thread-safety: none. Errors: none.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "agent/frame/field_view.h"
#include "agent/frame/record_shape.h"

namespace meldevakt::agent {

class CsvScan {
 public:
  explicit CsvScan(char delimiter) : delimiter_{delimiter} {}

  // The next line of the record, without its end.
  void add(std::string_view line);
  [[nodiscard]] bool in_quotes() const { return in_quotes_; }
  [[nodiscard]] std::size_t fields() const { return fields_; }  // begun so far

 private:
  char delimiter_;
  bool in_quotes_ = false;
  std::size_t fields_ = 0;
};

// `record`: its lines joined by '\n'. `closed` is false when a quote is never closed.
struct CsvFields {
  std::vector<std::string> values;
  bool closed = true;
};
[[nodiscard]] CsvFields csv_fields(std::string_view record, char delimiter);

// Names of so many fields: the list of that length, else the longest of those that are shorter.
[[nodiscard]] const std::vector<std::string>* columns_for(
    const std::vector<std::vector<std::string>>& lists, std::size_t fields);

[[nodiscard]] FieldView csv_view(std::string_view record, char delimiter,
                                 const std::vector<std::vector<std::string>>& columns);

}  // namespace meldevakt::agent
