#include "agent/frame/w3c_log.h"

#include <algorithm>

#include "common/base/time.h"

namespace meldevakt::agent {
namespace {

constexpr std::size_t kDateBytes = 10;  // "2024-01-15"
constexpr std::size_t kTimeBytes = 8;   // "10:30:00"

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> out;
  while (true) {
    const std::size_t from = line.find_first_not_of(' ');
    if (from == std::string_view::npos) return out;
    line.remove_prefix(from);
    const std::string_view word = line.substr(0, line.find(' '));
    out.push_back(word);
    line.remove_prefix(word.size());
  }
}

bool is_date(std::string_view text) {
  return text.size() == kDateBytes && from_rfc3339(std::string{text} + "T00:00:00Z").has_value();
}

std::string next_day(const std::string& date) {
  const Result<Instant> day = from_rfc3339(date + "T00:00:00Z");
  return day ? to_rfc3339(day.value() + days(1)).substr(0, kDateBytes) : date;
}

}  // namespace

void W3cLog::direct(std::string_view line) {
  const std::vector<std::string_view> parts = words(line);
  if (parts.empty()) return;
  if (parts[0] == "#Fields:") {
    const std::size_t count = std::min(parts.size() - 1, FieldView::kFieldsMax);
    names_.clear();
    for (std::size_t i = 1; i <= count; ++i) {
      names_.emplace_back(parts[i].substr(0, FieldView::kNameBytesMax));
    }
  } else if (parts[0] == "#Date:" && parts.size() > 1 && is_date(parts[1])) {
    date_ = parts[1];
    last_time_.clear();
  }
}

// A time of day half a day before the last one is after midnight; less is disorder.
std::string W3cLog::day_of(std::string_view time) {
  if (date_.empty() || time.size() != kTimeBytes) return "";
  const auto hour = [](std::string_view text) { return (text[0] - '0') * 10 + (text[1] - '0'); };
  if (!last_time_.empty() && hour(time) + 12 <= hour(last_time_)) date_ = next_day(date_);
  last_time_ = time;
  return date_;
}

FieldView W3cLog::view(std::string_view line) {
  FieldView view;
  const std::vector<std::string_view> values = words(line);
  std::string_view date;
  std::string_view time;
  for (std::size_t i = 0; i < std::min(values.size(), names_.size()); ++i) {
    if (names_[i] == "date") date = values[i];
    if (names_[i] == "time") time = values[i];
  }
  const std::string day = date.empty() && !time.empty() ? day_of(time) : std::string{date};
  if (!day.empty() && !time.empty()) view.add("datetime", day + " " + std::string{time} + "Z");
  for (std::size_t i = 0; i < values.size(); ++i) {
    view.add(i < names_.size() ? names_[i] : column_name(i), values[i]);
  }
  view.malformed = view.malformed || values.size() != names_.size();
  return view;
}

std::vector<std::string> W3cLog::saved() const {
  std::vector<std::string> out{date_, last_time_};
  out.insert(out.end(), names_.begin(), names_.end());
  return out;
}

void W3cLog::restore(const std::vector<std::string>& saved) {
  if (saved.size() < 2) return;
  date_ = is_date(saved[0]) ? saved[0] : "";
  last_time_ = saved[1].size() == kTimeBytes ? saved[1] : "";
  names_.assign(saved.begin() + 2, saved.end());
}

}  // namespace meldevakt::agent
