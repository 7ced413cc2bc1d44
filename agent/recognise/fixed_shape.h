// A pattern of fixed width, such as the start of most log records ('\d{4}-\d{2}-\d{2} \['), matched
// without PCRE2: it is asked of every line. Private to agent/recognise.
//
//   if (auto shape = FixedShape::of(pattern)) return shape->matches_start(line);
//
// Thread-safety: const and pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meldevakt::agent {

class FixedShape {
 public:
  // nullopt when the pattern has anything but plain ASCII characters, escaped punctuation, \d,
  // classes of plain characters ("[ T]") and counts ("{4}"): PCRE2 then does it.
  [[nodiscard]] static std::optional<FixedShape> of(std::string_view pattern);

  [[nodiscard]] bool matches_start(std::string_view text) const {
    if (text.size() < places_.size()) return false;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if (!fits(i, text[i])) return false;
    }
    return true;
  }

 private:
  static constexpr char kDigit = '\x80';  // not ASCII: stands for no character of a pattern
  static constexpr char kClass = '\x81';

  [[nodiscard]] bool fits(std::size_t place, char c) const {
    const char want = places_[place];
    if (want == kDigit) return c >= '0' && c <= '9';
    if (want == kClass) return classes_[place].find(c) != std::string::npos;
    return c == want;
  }

  std::string places_;                // the character wanted, kDigit or kClass
  std::vector<std::string> classes_;  // by place; empty but for kClass
};

}  // namespace meldevakt::agent
