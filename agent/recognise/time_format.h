// Time stamps as logs write them, read by a format in the manner of strptime.
//
//   MELDEVAKT_TRY_ASSIGN(TimeFormat format, TimeFormat::parse("%Y-%m-%d %H:%M:%S,%f"));
//   if (auto stamp = format.read(record_text)) ...      // at the start of the text; the rest is
//   free
//
// Conversions: %Y four digits, %m %d %H %M %S two digits (%d also one after a blank), %b the
// English month's three letters, %f one to nine digits of a fraction, %z an offset (Z, +01, +0100,
// +01:00), %Z an abbreviation (CET) or an offset, %% a percent sign. Anything else stands for
// itself. Year, month and day are required, hour and minute too.
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
  LocalTime local;
  std::optional<Duration> utc_offset;  // when the text says it
};

// UTC, GMT, WET, WEST, CET, CEST, EET, EEST, MSK and the like. Abbreviations that mean different
// things in different places (IST, EST, CST, BST) are none: the source's zone decides.
[[nodiscard]] std::optional<Duration> offset_of_abbreviation(std::string_view name);

class TimeFormat {
 public:
  [[nodiscard]] static Result<TimeFormat> parse(std::string_view format);
  [[nodiscard]] std::optional<TimeStamp> read(std::string_view text) const;

 private:
  std::string items_;  // a conversion as its letter with the top bit set, else the character
};

}  // namespace meldevakt::agent
