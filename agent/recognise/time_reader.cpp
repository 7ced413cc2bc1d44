#include "agent/recognise/time_reader.h"

#include <algorithm>
#include <array>
#include <string>

#include "agent/recognise/time_format.h"

namespace meldevakt::agent {
namespace {

struct Name {
  std::string_view text;
  int value;
};

// English and Norwegian; the longest first where one is the beginning of another.
constexpr std::array<Name, 34> kMonths{
    {{"january", 1},   {"januar", 1},    {"jan", 1},  {"february", 2},  {"februar", 2},
     {"feb", 2},       {"march", 3},     {"mars", 3}, {"mar", 3},       {"april", 4},
     {"apr", 4},       {"may", 5},       {"mai", 5},  {"june", 6},      {"juni", 6},
     {"jun", 6},       {"july", 7},      {"juli", 7}, {"jul", 7},       {"august", 8},
     {"aug", 8},       {"september", 9}, {"sept", 9}, {"sep", 9},       {"october", 10},
     {"oktober", 10},  {"oct", 10},      {"okt", 10}, {"november", 11}, {"nov", 11},
     {"december", 12}, {"desember", 12}, {"dec", 12}, {"des", 12}}};

constexpr std::array<std::string_view, 28> kWeekdays{
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    "mandag", "tirsdag", "onsdag",    "torsdag",  "fredag", "lørdag",   "søndag",
    "mon",    "tue",     "wed",       "thu",      "fri",    "sat",      "sun",
    "man",    "tir",     "ons",       "tor",      "fre",    "lør",      "søn"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80;
}

// Only what occurs in names of months and days: ASCII, and the capital Ø.
std::string lower(std::string_view text) {
  std::string out{text};
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i] >= 'A' && out[i] <= 'Z') out[i] = static_cast<char>(out[i] - 'A' + 'a');
    if (i > 0 && out[i - 1] == '\xC3' && out[i] == '\x98') out[i] = '\xB8';
  }
  return out;
}

}  // namespace

bool TimeReader::literal(char c) {
  if (peek() != c || at_end()) return false;
  ++at_;
  return true;
}

bool TimeReader::number(std::size_t digits, int& value) {
  if (text_.size() - at_ < digits) return false;
  value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const char c = text_[at_ + i];
    if (!is_digit(c)) return false;
    value = value * 10 + (c - '0');
  }
  at_ += digits;
  return true;
}

bool TimeReader::narrow_number(int& value) {
  const bool two = at_ + 1 < text_.size() && is_digit(text_[at_ + 1]);
  return number(two ? 2 : 1, value);
}

bool TimeReader::padded_number(int& value) {
  if (peek() == ' ') {
    ++at_;
    return number(1, value);
  }
  return number(2, value);
}

bool TimeReader::two_digit_year(int& year) {
  if (!number(2, year)) return false;
  year += year >= 70 ? 1900 : 2000;
  return true;
}

std::string_view TimeReader::letters() const {
  constexpr std::size_t kBytesMax = 16;
  std::size_t end = at_;
  while (end < text_.size() && end - at_ < kBytesMax && is_letter(text_[end])) ++end;
  return text_.substr(at_, end - at_);
}

// The name must be whole: "Mart" is no month. A full stop behind it is part of it.
bool TimeReader::month_name(int& month) {
  const std::string_view written = letters();
  const std::string name = lower(written);
  const auto* const found = std::find_if(kMonths.begin(), kMonths.end(),
                                         [&name](const Name& known) { return known.text == name; });
  if (found == kMonths.end()) return false;
  month = found->value;
  at_ += written.size();
  literal('.');
  return true;
}

bool TimeReader::weekday_name() {
  const std::string_view written = letters();
  const std::string name = lower(written);
  if (std::find(kWeekdays.begin(), kWeekdays.end(), name) == kWeekdays.end()) return false;
  at_ += written.size();
  literal('.');
  return true;
}

bool TimeReader::am_pm(bool& pm) {
  const std::string_view written = letters();
  const std::string name = lower(written);
  if (name != "am" && name != "pm") return false;
  pm = name == "pm";
  at_ += written.size();
  return true;
}

bool TimeReader::fraction(int& millisecond) {
  std::size_t digits = 0;
  millisecond = 0;
  for (; digits < 9 && is_digit(peek()); ++digits, ++at_) {
    if (digits < 3) millisecond = millisecond * 10 + (peek() - '0');
  }
  for (std::size_t i = digits; i < 3; ++i) millisecond *= 10;
  return digits > 0;
}

// The number of digits tells the unit, from 1973 to 2286 for all of them.
bool TimeReader::since_1970(Instant& time) {
  constexpr std::int64_t kEnd = 253'402'300'800'000;  // the year 10000
  std::size_t digits = 0;
  std::int64_t value = 0;
  for (; digits < 19 && is_digit(peek()); ++digits, ++at_) {
    if (digits == 18 && value > 900'000'000'000'000'000) return false;
    value = value * 10 + (peek() - '0');
  }
  if (digits < 9 || is_digit(peek())) return false;
  if (digits <= 11) {
    int millisecond = 0;
    if (peek() == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1])) {
      ++at_;
      fraction(millisecond);
    }
    time.ms = value * 1000 + millisecond;
  } else {
    time.ms = digits <= 14 ? value : digits <= 17 ? value / 1000 : value / 1'000'000;
  }
  return time.ms < kEnd;
}

bool TimeReader::offset(std::optional<Duration>& utc_offset) {
  if (literal('Z')) {
    utc_offset = Duration{0};
    return true;
  }
  const bool minus = peek() == '-';
  if (!minus && peek() != '+') return false;
  ++at_;
  int hour = 0;
  int minute = 0;
  if (!number(2, hour)) return false;
  const std::size_t before_minutes = at_;
  literal(':');
  if (!number(2, minute)) {
    at_ = before_minutes;
    minute = 0;
  }
  if (hour > 15 || minute > 59) return false;
  const Duration size = minutes(hour * 60 + minute);
  utc_offset = minus ? Duration{-size.ms} : size;
  return true;
}

bool TimeReader::zone(std::optional<Duration>& utc_offset, bool& unknown) {
  if (peek() == '+' || peek() == '-') return offset(utc_offset);
  const std::string_view name = letters();
  if (name.empty() || name.size() > 6) return false;
  at_ += name.size();
  utc_offset = offset_of_abbreviation(name);
  unknown = !utc_offset;
  return true;
}

}  // namespace meldevakt::agent
