#include "common/receipts/period.h"

#include <array>
#include <vector>

namespace meldevakt {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

int number(std::string_view digits) {
  int out = 0;
  for (const char c : digits) out = out * 10 + (c - '0');
  return out;
}

// '0' stands for a digit; anything else for itself.
bool has_form(std::string_view text, std::string_view form) {
  if (text.size() < form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] == '0' ? !is_digit(text[i]) : text[i] != form[i]) return false;
  }
  return text.size() == form.size() || !is_digit(text[form.size()]);
}

struct DateForm {
  std::string_view form;
  std::size_t year;
  std::size_t month;
  std::size_t day;
};
constexpr std::array<DateForm, 3> kForms{{
    {"0000-00-00", 0, 5, 8},
    {"00000000", 0, 4, 6},
    {"00.00.0000", 6, 3, 0},
}};

std::vector<LocalTime> dates_in(std::string_view name) {
  std::vector<LocalTime> out;
  for (std::size_t at = 0; at < name.size(); ++at) {
    if (!is_digit(name[at]) || (at > 0 && is_digit(name[at - 1]))) continue;
    const std::string_view rest = name.substr(at);
    for (const DateForm& form : kForms) {
      if (!has_form(rest, form.form)) continue;
      LocalTime date;
      date.year = number(rest.substr(form.year, 4));
      date.month = number(rest.substr(form.month, 2));
      date.day = number(rest.substr(form.day, 2));
      if (!is_valid(date)) continue;
      out.push_back(date);
      at += form.form.size() - 1;
      break;
    }
  }
  return out;
}

}  // namespace

std::optional<Interval> period_in_name(std::string_view file_name, const TimeZone& zone) {
  const std::vector<LocalTime> dates = dates_in(file_name);
  if (dates.size() != 2 || dates[1] < dates[0]) return std::nullopt;
  // The day after, by the calendar: in spring and autumn a day has not 24 hours.
  const LocalTime after = to_local(as_utc(dates[1]) + days(1), Duration{});
  return Interval{zone.to_utc(dates[0]).first, zone.to_utc(after).first};
}

}  // namespace meldevakt
