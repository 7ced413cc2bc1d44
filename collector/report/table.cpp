#include "collector/report/table.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "common/base/check.h"

namespace meldevakt::collector {
namespace {

constexpr std::size_t kBetweenColumns = 2;

std::size_t width_of(const std::string& utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;  // continuation bytes have no width
  }));
}

std::string digits(int value, std::size_t width) {
  std::string out = std::to_string(value);
  if (out.size() < width) out.insert(0, width - out.size(), '0');
  return out;
}

}  // namespace

std::string local_time(Instant time, const TimeZone& zone) {
  const LocalTime t = to_local(time, zone.utc_offset(time));
  return digits(t.day, 2) + "." + digits(t.month, 2) + "." + digits(t.year, 4) + " " +
         digits(t.hour, 2) + ":" + digits(t.minute, 2) + ":" + digits(t.second, 2);
}

std::string local_time(const std::optional<Instant>& time, const TimeZone& zone) {
  return time ? local_time(*time, zone) : "-";
}

std::string with_local_times(std::string_view text, const TimeZone& zone) {
  constexpr std::string_view form = "0000-00-00T00:00:00.000Z";
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view word = text.substr(at, form.size());
    const auto time = word.size() == form.size() && word[10] == 'T' && word.back() == 'Z'
                          ? from_rfc3339(word)
                          : Error{Errc::kInvalid, ""};
    if (!time) {
      out += text[at++];
      continue;
    }
    const std::string local = local_time(time.value(), zone);
    out += local;
    at += form.size();
    if (text.substr(at, 2) == "  ") out.append(form.size() - local.size(), ' ');
  }
  return out;
}

std::string printable(std::string text) {
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) c = '?';
  }
  return text;
}

Table::Table(std::vector<std::string> headings) {
  rows_.push_back(std::move(headings));
}

void Table::add(std::vector<std::string> cells) {
  MELDEVAKT_CHECK(cells.size() == rows_.front().size());
  for (std::string& cell : cells) cell = printable(std::move(cell));
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      line.append(widths[i] - width_of(row[i]) + kBetweenColumns, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace meldevakt::collector
