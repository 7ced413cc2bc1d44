// What a log's records look like, as far as cutting them out of a file goes: plain values that a
// rule pack gives (agent/recognise/PACK.md, "[record]"). Thread-safety: plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meldevakt::agent {

enum class RecordKind : std::uint8_t {
  kLines,      // a header line and what continues it
  kCsv,        // RFC 4180: a record ends at a line end outside quotes
  kJsonLines,  // one JSON object a line
  kXml,        // elements one after another, with or without a root
  kW3c,        // blank-separated fields under "#Fields:" (IIS, HTTP.sys)
};
[[nodiscard]] std::string_view to_string(RecordKind kind);
[[nodiscard]] std::optional<RecordKind> record_kind_from_string(std::string_view name);
[[nodiscard]] std::vector<std::string> all_record_kind_names();

// A record of such a kind is given on as its field view: see field_view.h.
[[nodiscard]] constexpr bool is_structured(RecordKind kind) {
  return kind != RecordKind::kLines;
}

struct RecordShape {
  static constexpr std::size_t kColumnsMax = 4096;
  static constexpr std::size_t kElementBytesMax = 64;
  static constexpr char kDelimiterFromHeader = '\0';

  RecordKind kind = RecordKind::kLines;
  // csv: the names of the columns, one list for each number of columns that occurs.
  std::vector<std::vector<std::string>> columns;
  bool columns_from_header = false;  // csv: a header line of the file names them
  char delimiter = ',';  // csv; kDelimiterFromHeader: the one that cuts the header line most
  std::string element;   // xml: of one record, e.g. "msg"; ASCII
  std::vector<std::string> byte_fields;  // json-lines: members whose arrays of numbers are text
};

}  // namespace meldevakt::agent
