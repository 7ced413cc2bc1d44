#include "agent/recognise/time_format.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "agent/recognise/time_reader.h"

namespace meldevakt::agent {
namespace {

constexpr std::string_view kConversions = "YymbdeHkIlpMSfazZs";
constexpr std::string_view kMayBeNarrow = "dmHIMS";
constexpr int kLeapYear = 2000;  // so that 29 February can be read before its year is known

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

// A time stamp while it is read.
struct Reading {
  TimeStamp stamp;
  std::optional<Instant> since_1970;
  std::optional<bool> pm;
};

bool convert_number(char letter, bool narrow, TimeReader& reader, int& value) {
  if (narrow) return reader.narrow_number(value);
  const bool padded = letter == 'd' || letter == 'e' || letter == 'k' || letter == 'l';
  return padded ? reader.padded_number(value) : reader.number(2, value);
}

bool convert(char letter, bool narrow, TimeReader& reader, Reading& out) {
  LocalTime& local = out.stamp.local;
  switch (letter) {
    case 'Y': return reader.number(4, local.year);
    case 'y': return reader.two_digit_year(local.year);
    case 'b': return reader.month_name(local.month);
    case 'm': return convert_number(letter, narrow, reader, local.month);
    case 'd':
    case 'e': return convert_number(letter, narrow, reader, local.day);
    case 'H':
    case 'k':
    case 'I':
    case 'l': return convert_number(letter, narrow, reader, local.hour);
    case 'M': return convert_number(letter, narrow, reader, local.minute);
    case 'S': return convert_number(letter, narrow, reader, local.second);
    case 'f': return reader.fraction(local.millisecond);
    case 'p': {
      bool pm = false;
      if (!reader.am_pm(pm)) return false;
      out.pm = pm;
      return true;
    }
    case 'a': return reader.weekday_name();
    case 'z': return reader.offset(out.stamp.utc_offset);
    case 'Z': return reader.zone(out.stamp.utc_offset, out.stamp.unknown_zone);
    case 's': {
      Instant time;
      if (!reader.since_1970(time)) return false;
      out.since_1970 = time;
      return true;
    }
    default: return false;
  }
}

// 12 AM is midnight, 12 PM noon.
bool apply_pm(Reading& reading) {
  if (!reading.pm) return true;
  int& hour = reading.stamp.local.hour;
  if (hour < 1 || hour > 12) return false;
  hour = hour % 12 + (*reading.pm ? 12 : 0);
  return true;
}

Status check_complete(const std::string& seen) {
  const auto has = [&seen](std::string_view any) {
    return seen.find_first_of(any) != std::string::npos;
  };
  if (has("s")) {
    if (seen == "s") return {};
    return Error{Errc::kInvalid, "%s is a whole time: no other conversion goes with it"};
  }
  if (!has("HkIl") || !has("M")) {
    return Error{Errc::kInvalid, "a time format needs hour and minute"};
  }
  if (has("Il") != has("p")) {
    return Error{Errc::kInvalid, "%I and %p go together: an hour of twelve needs AM or PM"};
  }
  const bool month = has("mb");
  const bool day = has("de");
  if (month != day || (has("Yy") && !month)) {
    return Error{Errc::kInvalid,
                 "a time format needs year, month and day; or month and day; or no date at all"};
  }
  return {};
}

Error unknown_conversion(std::string_view conversion) {
  return Error{Errc::kInvalid, "unknown conversion %" + std::string{conversion} +
                                   " in a time format (there are %Y %y %m %b %d %e %H %k %I %l %p "
                                   "%M %S %f %a %z %Z %s %%, and %-d %-m %-H %-I %-M %-S)"};
}

}  // namespace

bool TimeFormat::has_offset() const {
  return std::any_of(items_.begin(), items_.end(), [](const Item& item) {
    return item.is_conversion && (item.letter == 'z' || item.letter == 'Z' || item.letter == 's');
  });
}

std::optional<Duration> offset_of_abbreviation(std::string_view name) {
  for (const Abbreviation& known : kAbbreviations) {
    if (known.name == name) return hours(known.hours);
  }
  return std::nullopt;
}

std::optional<Duration> offset_from_text(std::string_view text) {
  if (const auto known = offset_of_abbreviation(text)) return known;
  const bool minus = text.substr(0, 1) == "-";
  if (minus || text.substr(0, 1) == "+") text.remove_prefix(1);
  TimeReader reader{text};
  int hour = 0;
  int minute = 0;
  if (!reader.narrow_number(hour)) return std::nullopt;
  if (!reader.at_end()) {
    reader.literal(':');
    if (!reader.number(2, minute)) return std::nullopt;
  }
  if (!reader.at_end() || hour > 15 || minute > 59) return std::nullopt;
  const Duration size = minutes(hour * 60 + minute);
  return minus ? Duration{-size.ms} : size;
}

Result<TimeFormat> TimeFormat::parse(std::string_view format) {
  TimeFormat out;
  std::string seen;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      if (static_cast<std::uint8_t>(format[i]) >= 0x80) {
        return Error{Errc::kInvalid, "a time format holds plain ASCII characters only"};
      }
      out.items_.push_back({format[i], false, false});
      continue;
    }
    const bool narrow = format.substr(i + 1, 1) == "-";
    if (narrow) ++i;
    const char letter = ++i < format.size() ? format[i] : '\0';
    if (letter == '%' && !narrow) {
      out.items_.push_back({'%', false, false});
      continue;
    }
    if (letter == '\0' ||
        (narrow ? kMayBeNarrow : kConversions).find(letter) == std::string_view::npos) {
      return unknown_conversion(std::string(narrow ? "-" : "") +
                                (letter == '\0' ? "" : std::string(1, letter)));
    }
    out.items_.push_back({letter, true, narrow});
    seen.push_back(letter);
  }
  MELDEVAKT_TRY(check_complete(seen));
  const bool whole = seen == "s";
  out.has_year_ = whole || seen.find_first_of("Yy") != std::string::npos;
  out.has_date_ = whole || seen.find_first_of("de") != std::string::npos;
  return out;
}

std::optional<TimeStamp> TimeFormat::read(std::string_view text) const {
  TimeReader reader{text};
  Reading reading;
  if (!has_year_) reading.stamp.local.year = kLeapYear;
  for (const Item& item : items_) {
    const bool fits = item.is_conversion ? convert(item.letter, item.narrow, reader, reading)
                                         : reader.literal(item.letter);
    if (!fits) return std::nullopt;
  }
  TimeStamp& stamp = reading.stamp;
  if (reading.since_1970) {
    stamp.local = to_local(*reading.since_1970, Duration{0});
    stamp.utc_offset = Duration{0};
  }
  if (!apply_pm(reading) || !is_valid(stamp.local)) return std::nullopt;
  stamp.has_year = has_year_;
  stamp.has_date = has_date_;
  return reading.stamp;
}

}  // namespace meldevakt::agent
