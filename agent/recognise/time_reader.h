// The pieces that time stamps are made of, read one after another. Private to agent/recognise:
// TimeFormat uses it. Each function takes its piece and returns true, or returns false; where the
// reader then stands is not specified. Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/base/time.h"

namespace meldevakt::agent {

class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : text_{text} {}

  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }

  bool literal(char c);
  bool number(std::size_t digits, int& value);  // exactly so many
  bool narrow_number(int& value);               // one digit or two
  bool padded_number(int& value);               // "07", " 7"
  bool two_digit_year(int& year);               // 70 to 99 and 00 to 69
  bool month_name(int& month);
  bool weekday_name();
  bool am_pm(bool& pm);
  bool fraction(int& millisecond);
  bool since_1970(Instant& time);
  bool offset(std::optional<Duration>& utc_offset);
  // An abbreviation that is not known leaves `utc_offset` empty and sets `unknown`.
  bool zone(std::optional<Duration>& utc_offset, bool& unknown);

 private:
  [[nodiscard]] std::string_view letters() const;

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace meldevakt::agent
