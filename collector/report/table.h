// Rows of text with their columns aligned, for a terminal. Widths count characters, not bytes.
// Pure. Thread-safety: none.
#pragma once

#include <string>
#include <vector>

namespace meldevakt::collector {

class Table {
 public:
  explicit Table(std::vector<std::string> headings);
  // Control characters are shown as '?': what is printed must not steer the terminal.
  // REQUIRES: as many cells as headings.
  void add(std::vector<std::string> cells);
  [[nodiscard]] std::string text() const;  // a line each, no blanks at line ends

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace meldevakt::collector
