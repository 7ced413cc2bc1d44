// Time stamps as logs write them, read by a format in the manner of strptime.
//
//   MELDEVAKT_TRY_ASSIGN(TimeFormat format, TimeFormat::parse("%Y-%m-%d %H:%M:%S,%f"));
//   if (auto stamp = format.read(record_text)) ...      // at the start of the text; the rest is
//   free
//
// PACK.md has the table of conversions: %Y %y %m %b %d %e %H %k %I %l %p %M %S %f %a %z %Z %s %%,
// and with "-" (%-d) numbers of one or two digits. Anything else stands for itself. A format needs
// hour and minute; it may leave out the year, or the whole date, which EventTime then deduces.
//
// Thread-safety: const and pure. Errors: kInvalid for a format; a text that does not fit is
// nullopt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"

namespace meldevakt::agent {

struct TimeStamp {
  LocalTime local;  // without a year: of the leap year 2000; without a date: 2000-01-01
  std::optional<Duration> utc_offset{};  // when the text says it
  bool has_year = true;
  bool has_date = true;
  bool unknown_zone = false;  // the text names a zone that means different things
};

// UTC, GMT, WET, WEST, CET, CEST, EET, EEST, MSK and the like. Abbreviations that mean different
// things in different places (IST, EST, CST, BST) are none: the source's zone decides.
[[nodiscard]] std::optional<Duration> offset_of_abbreviation(std::string_view name);

// "+01:00", "-4:00", "+0100", "01", "Z", or an abbreviation: all of `text` is one.
[[nodiscard]] std::optional<Duration> offset_from_text(std::string_view text);

class TimeFormat {
 public:
  [[nodiscard]] static Result<TimeFormat> parse(std::string_view format);
  [[nodiscard]] std::optional<TimeStamp> read(std::string_view text) const;
  // What it reads says where in the world it was written, or is a count since 1970.
  [[nodiscard]] bool has_offset() const;

 private:
  struct Item {
    char letter = '\0';  // of a conversion, or the character that must stand here
    bool is_conversion = false;
    bool narrow = false;  // one digit is enough
  };

  std::vector<Item> items_;
  bool has_year_ = false;
  bool has_date_ = false;
};

}  // namespace meldevakt::agent
