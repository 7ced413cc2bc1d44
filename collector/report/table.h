// Rows of text with their columns aligned, for a terminal. Widths count characters, not bytes.
// Pure. Thread-safety: none.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"
#include "common/ports/time_zone.h"

namespace meldevakt::collector {

// As people in Norway write it: 26.11.2026 10:00:00; "-" for nothing.
[[nodiscard]] std::string local_time(Instant time, const TimeZone& zone);
[[nodiscard]] std::string local_time(const std::optional<Instant>& time, const TimeZone& zone);
// A text for people with its times ("2023-02-01T08:14:23.000Z") as above. In a table, where two
// blanks follow, the columns stay where they are.
[[nodiscard]] std::string with_local_times(std::string_view text, const TimeZone& zone);
// Control characters as '?': what is printed must not steer the terminal.
[[nodiscard]] std::string printable(std::string text);

class Table {
 public:
  explicit Table(std::vector<std::string> headings);
  // Cells are made printable(). REQUIRES: as many cells as headings.
  void add(std::vector<std::string> cells);
  [[nodiscard]] std::string text() const;  // a line each, no blanks at line ends

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace meldevakt::collector
