// RFC 4180 rows out of bytes nobody vouches for. A row that breaks the rules costs only itself:
// reading goes on with the next line.
//
//   CsvReader reader{text, ';'};
//   while (auto row = reader.next()) if (row->problem.empty()) use(row->fields);
//
// Lines end with CR LF, LF or CR; a quoted field may hold line ends, separators and doubled quotes.
// Thread-safety: none. Bounds: kFieldBytesMax a field, kCsvFieldsMax a row. Time: linear in the
// text. Only a row that begins on a line with an odd number of quotes reaches beyond its line, and
// it ends at the latest on the next such line; so no line is read more than twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meldevakt {

inline constexpr std::size_t kCsvFieldsMax = 256;

struct CsvRow {
  std::uint64_t number = 0;  // the first is 1; blank rows count, as in a spreadsheet
  std::vector<std::string> fields;
  std::string problem;               // what is wrong, in words; "" when the row is well-formed
  [[nodiscard]] bool blank() const;  // well-formed, and nothing in it
};

class CsvReader {
 public:
  // `text` must outlive the reader.
  CsvReader(std::string_view text, char separator) : text_{text}, separator_{separator} {}

  [[nodiscard]] std::optional<CsvRow> next();  // nullopt at the end

 private:
  [[nodiscard]] bool read_field(std::string& field, std::string& problem);
  [[nodiscard]] bool read_quoted(std::string& field, std::string& problem);
  [[nodiscard]] bool read_plain(std::string& field, std::string& problem);
  [[nodiscard]] bool at_line_end() const;
  void skip_line_end();
  void recover(std::size_t row_start);

  std::string_view text_;
  char separator_;
  std::size_t at_ = 0;
  std::uint64_t number_ = 0;
};

}  // namespace meldevakt
