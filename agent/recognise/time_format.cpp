#include "agent/recognise/time_format.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace meldevakt::agent {
namespace {

constexpr std::string_view kConversions = "YmdHMSfzZb";
constexpr std::uint8_t kConversion = 0x80;

constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct Abbreviation {
  std::string_view name;
  int hours;
};
constexpr std::array<Abbreviation, 12> kAbbreviations{{{"UTC", 0},
                                                       {"GMT", 0},
                                                       {"Z", 0},
                                                       {"WET", 0},
                                                       {"WEST", 1},
                                                       {"CET", 1},
                                                       {"CEST", 2},
                                                       {"MET", 1},
                                                       {"MEST", 2},
                                                       {"EET", 2},
                                                       {"EEST", 3},
                                                       {"MSK", 3}}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_{text} {}

  bool literal(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool number(std::size_t digits, int& value) {
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

  bool day(int& value) {  // "07", " 7"
    if (peek() == ' ') {
      ++at_;
      return number(1, value);
    }
    return number(2, value);
  }

  bool fraction(int& millisecond) {
    std::size_t digits = 0;
    millisecond = 0;
    for (; digits < 9 && is_digit(peek()); ++digits, ++at_) {
      if (digits < 3) millisecond = millisecond * 10 + (peek() - '0');
    }
    for (std::size_t i = digits; i < 3; ++i) millisecond *= 10;
    return digits > 0;
  }

  bool month_name(int& month) {
    const std::string_view name = text_.substr(at_, 3);
    const auto* const found = std::find(kMonths.begin(), kMonths.end(), name);
    if (found == kMonths.end()) return false;
    month = static_cast<int>(found - kMonths.begin()) + 1;
    at_ += 3;
    return true;
  }

  bool offset(std::optional<Duration>& offset) {
    if (literal('Z')) {
      offset = Duration{0};
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
    offset = minus ? Duration{-size.ms} : size;
    return true;
  }

  bool zone(std::optional<Duration>& utc_offset) {
    if (peek() == '+' || peek() == '-') return offset(utc_offset);
    const std::size_t from = at_;
    while (is_letter(peek()) && at_ - from < 6) ++at_;
    if (at_ - from == 0 || is_letter(peek())) return false;
    utc_offset = offset_of_abbreviation(text_.substr(from, at_ - from));
    return true;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

bool convert(char letter, Reader& reader, TimeStamp& stamp) {
  LocalTime& local = stamp.local;
  switch (letter) {
    case 'Y': return reader.number(4, local.year);
    case 'm': return reader.number(2, local.month);
    case 'd': return reader.day(local.day);
    case 'H': return reader.number(2, local.hour);
    case 'M': return reader.number(2, local.minute);
    case 'S': return reader.number(2, local.second);
    case 'f': return reader.fraction(local.millisecond);
    case 'b': return reader.month_name(local.month);
    case 'z': return reader.offset(stamp.utc_offset);
    case 'Z': return reader.zone(stamp.utc_offset);
    default: return false;
  }
}

}  // namespace

std::optional<Duration> offset_of_abbreviation(std::string_view name) {
  for (const Abbreviation& known : kAbbreviations) {
    if (known.name == name) return hours(known.hours);
  }
  return std::nullopt;
}

Result<TimeFormat> TimeFormat::parse(std::string_view format) {
  TimeFormat out;
  std::string seen;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      if (static_cast<std::uint8_t>(format[i]) >= kConversion) {
        return Error{Errc::kInvalid, "a time format holds plain ASCII characters only"};
      }
      out.items_.push_back(format[i]);
      continue;
    }
    const char letter = ++i < format.size() ? format[i] : '\0';
    if (letter == '%') {
      out.items_.push_back('%');
    } else if (letter != '\0' && kConversions.find(letter) != std::string_view::npos) {
      out.items_.push_back(static_cast<char>(static_cast<std::uint8_t>(letter) | kConversion));
      seen.push_back(letter);
    } else {
      return Error{Errc::kInvalid, "unknown conversion %" + std::string(1, letter) +
                                       " in a time format (there are %Y %m %b %d %H %M %S %f %z "
                                       "%Z %%)"};
    }
  }
  const auto has = [&seen](char letter) { return seen.find(letter) != std::string::npos; };
  if (!has('Y') || !(has('m') || has('b')) || !has('d') || !has('H') || !has('M')) {
    return Error{Errc::kInvalid, "a time format needs year, month, day, hour and minute"};
  }
  return out;
}

std::optional<TimeStamp> TimeFormat::read(std::string_view text) const {
  Reader reader{text};
  TimeStamp stamp;
  for (const char item : items_) {
    const auto value = static_cast<std::uint8_t>(item);
    const bool fits =
        value >= kConversion
            ? convert(static_cast<char>(value & ~static_cast<unsigned>(kConversion)), reader, stamp)
            : reader.literal(item);
    if (!fits) return std::nullopt;
  }
  if (!is_valid(stamp.local)) return std::nullopt;
  return stamp;
}

}  // namespace meldevakt::agent
