#include "agent/frame/csv.h"

#include <algorithm>
#include <utility>

namespace meldevakt::agent {

void CsvScan::add(std::string_view line) {
  bool at_start = !in_quotes_;
  if (at_start) ++fields_;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const char c = line[at];
    if (in_quotes_) {
      const std::size_t quote = line.find('"', at);
      if (quote == std::string_view::npos) return;
      at = quote;
      if (at + 1 < line.size() && line[at + 1] == '"') {
        ++at;
      } else {
        in_quotes_ = false;
      }
    } else if (c == '"' && at_start) {
      in_quotes_ = true;
    } else if (c == delimiter_) {
      ++fields_;
      at_start = true;
      continue;
    }
    at_start = false;
  }
}

CsvFields csv_fields(std::string_view record, char delimiter) {
  CsvFields out;
  std::string value;
  bool in_quotes = false;
  bool at_start = true;
  for (std::size_t at = 0; at < record.size(); ++at) {
    const char c = record[at];
    if (in_quotes) {
      if (c != '"') {
        value.push_back(c);
      } else if (at + 1 < record.size() && record[at + 1] == '"') {
        value.push_back('"');
        ++at;
      } else {
        in_quotes = false;
      }
    } else if (c == '"' && at_start) {
      in_quotes = true;
    } else if (c == delimiter) {
      out.values.push_back(std::exchange(value, {}));
      at_start = true;
      continue;
    } else {
      value.push_back(c);
    }
    at_start = false;
  }
  out.values.push_back(std::move(value));
  out.closed = !in_quotes;
  return out;
}

const std::vector<std::string>* columns_for(const std::vector<std::vector<std::string>>& lists,
                                            std::size_t fields) {
  const std::vector<std::string>* best = nullptr;
  for (const std::vector<std::string>& list : lists) {
    if (list.size() == fields) return &list;
    if (list.size() < fields && (best == nullptr || list.size() > best->size())) best = &list;
  }
  if (best != nullptr || lists.empty()) return best;
  // Fewer fields than any list has: those there are have the names of the shortest.
  return &*std::min_element(lists.begin(), lists.end(),
                            [](const auto& a, const auto& b) { return a.size() < b.size(); });
}

FieldView csv_view(std::string_view record, char delimiter,
                   const std::vector<std::vector<std::string>>& columns) {
  FieldView view;
  const CsvFields fields = csv_fields(record, delimiter);
  const std::vector<std::string>* const names = columns_for(columns, fields.values.size());
  for (std::size_t i = 0; i < fields.values.size(); ++i) {
    const bool named = names != nullptr && i < names->size();
    view.add(named ? (*names)[i] : column_name(i), fields.values[i]);
  }
  view.malformed =
      view.malformed || !fields.closed || names == nullptr || names->size() != fields.values.size();
  return view;
}

}  // namespace meldevakt::agent
