#include "common/receipts/csv.h"

#include <algorithm>

#include "common/receipts/receipts.h"

namespace meldevakt {
namespace {

std::string too_long() {
  return "a field is longer than " + std::to_string(kFieldBytesMax) +
         " bytes, or a quote is not closed";
}

}  // namespace

bool CsvRow::blank() const {
  return problem.empty() && std::all_of(fields.begin(), fields.end(), [](const std::string& field) {
           return field.find_first_not_of(" \t") == std::string::npos;
         });
}

bool CsvReader::at_line_end() const {
  return at_ >= text_.size() || text_[at_] == '\n' || text_[at_] == '\r';
}

void CsvReader::skip_line_end() {
  if (at_ >= text_.size()) return;
  const bool both = text_.substr(at_, 2) == "\r\n";
  at_ += both ? 2 : 1;
}

std::optional<CsvRow> CsvReader::next() {
  if (at_ >= text_.size()) return std::nullopt;
  const std::size_t row_start = at_;
  CsvRow row;
  row.number = ++number_;
  while (true) {
    std::string field;
    if (!read_field(field, row.problem)) break;
    row.fields.push_back(std::move(field));
    if (at_line_end()) {
      skip_line_end();
      return row;
    }
    ++at_;  // the separator: read_field stops nowhere else
    if (row.fields.size() == kCsvFieldsMax) {
      row.problem = "more than " + std::to_string(kCsvFieldsMax) + " fields";
      break;
    }
  }
  row.fields.clear();
  recover(row_start);
  return row;
}

bool CsvReader::read_field(std::string& field, std::string& problem) {
  if (at_ < text_.size() && text_[at_] == '"') return read_quoted(field, problem);
  return read_plain(field, problem);
}

bool CsvReader::read_plain(std::string& field, std::string& problem) {
  const std::size_t start = at_;
  while (!at_line_end() && text_[at_] != separator_) {
    if (text_[at_] == '"') {
      problem = "a quote stands inside a field that does not begin with one";
      return false;
    }
    if (++at_ - start > kFieldBytesMax) {
      problem = too_long();
      return false;
    }
  }
  field.assign(text_.substr(start, at_ - start));
  return true;
}

bool CsvReader::read_quoted(std::string& field, std::string& problem) {
  ++at_;
  while (true) {
    const std::size_t quote =
        text_.substr(0, std::min(text_.size(), at_ + kFieldBytesMax + 1)).find('"', at_);
    if (quote == std::string_view::npos || field.size() + (quote - at_) > kFieldBytesMax) {
      problem = text_.size() - at_ <= kFieldBytesMax ? "a quote is not closed" : too_long();
      return false;
    }
    field.append(text_.substr(at_, quote - at_));
    at_ = quote + 1;
    if (at_ < text_.size() && text_[at_] == '"') {
      field.push_back('"');
      ++at_;
      continue;
    }
    if (at_line_end() || text_[at_] == separator_) return true;
    problem = "text follows the closing quote of a field";
    return false;
  }
}

// A stray quote swallows the lines after it; they are read again as rows of their own.
void CsvReader::recover(std::size_t row_start) {
  const std::size_t line_end = text_.find_first_of("\r\n", row_start);
  at_ = line_end == std::string_view::npos ? text_.size() : line_end;
  skip_line_end();
}

}  // namespace meldevakt
