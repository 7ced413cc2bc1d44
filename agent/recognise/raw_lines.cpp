#include "agent/recognise/raw_lines.h"

#include <algorithm>

namespace meldevakt::agent {
namespace {

constexpr std::size_t kNowhere = std::string_view::npos;

bool is_newline(std::string_view text, std::size_t at, std::size_t unit) {
  return text[at] == '\n' &&
         (unit == 1 || (at % 2 == 0 && at + 1 < text.size() && text[at + 1] == '\0'));
}

}  // namespace

std::size_t next_line(std::string_view text, std::size_t from, std::size_t unit) {
  for (std::size_t at = from; (at = text.find('\n', at)) != kNowhere; ++at) {
    if (is_newline(text, at, unit)) return at + unit;
  }
  return kNowhere;
}

std::size_t line_begin(std::string_view text, std::size_t before, std::size_t unit) {
  // The unit directly before `before` belongs to the line, even when it is its end.
  for (std::size_t at = before - std::min(before, unit); at > 0;) {
    at = text.rfind('\n', at - 1);
    if (at == kNowhere) return 0;
    if (is_newline(text, at, unit)) return at + unit;
  }
  return 0;
}

std::string_view line_text(std::string_view text, std::size_t from, std::size_t bytes_max,
                           std::size_t unit) {
  const std::size_t next = next_line(text, from, unit);
  const std::size_t end = next == kNowhere ? text.size() : next - unit;
  std::string_view line = text.substr(from, end - from);
  const std::string_view carriage_return = std::string_view{"\r\0", 2}.substr(0, unit);
  if (line.size() >= unit && line.substr(line.size() - unit) == carriage_return) {
    line.remove_suffix(unit);
  }
  return line.substr(0, bytes_max / unit * unit);
}

}  // namespace meldevakt::agent
