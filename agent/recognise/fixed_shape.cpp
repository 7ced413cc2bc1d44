#include "agent/recognise/fixed_shape.h"

namespace meldevakt::agent {
namespace {

constexpr std::size_t kPlacesMax = 256;
constexpr std::string_view kSpecial = "\\^$.[]|()?*+{}";

bool is_plain(char c) {
  return c >= ' ' && c <= '~' && kSpecial.find(c) == std::string_view::npos;
}

// "{4}" at the start of `text`: the count and its length; one place when there is none.
struct Count {
  std::size_t places = 1;
  std::size_t length = 0;
  bool valid = true;
};
Count count_at(std::string_view text) {
  if (text.empty() || std::string_view{"?*+{"}.find(text[0]) == std::string_view::npos) return {};
  const std::size_t close = text.find('}');
  if (text[0] != '{' || close == std::string_view::npos || close < 2 || close > 3)
    return {0, 0, false};
  std::size_t places = 0;
  for (const char c : text.substr(1, close - 1)) {
    if (c < '0' || c > '9') return {0, 0, false};
    places = places * 10 + static_cast<std::size_t>(c - '0');
  }
  // "{4}?" and "{4}+" mean the same as "{4}", but are left to PCRE2.
  const char next = close + 1 < text.size() ? text[close + 1] : '\0';
  return {places, close + 1,
          std::string_view{"?*+{"}.find(next) == std::string_view::npos || next == '\0'};
}

}  // namespace

std::optional<FixedShape> FixedShape::of(std::string_view pattern) {
  FixedShape shape;
  while (!pattern.empty()) {
    char place = pattern[0];
    std::string members;
    std::size_t length = 1;
    if (place == '\\') {
      const char next = pattern.size() > 1 ? pattern[1] : '\0';
      const bool punctuation = (next >= '!' && next <= '/') || (next >= ':' && next <= '@') ||
                               (next >= '[' && next <= '`') || (next >= '{' && next <= '~');
      if (next != 'd' && !punctuation) return std::nullopt;
      place = next == 'd' ? kDigit : next;
      length = 2;
    } else if (place == '[') {
      const std::size_t close = pattern.find(']');
      if (close == std::string_view::npos || close < 2) return std::nullopt;
      members = pattern.substr(1, close - 1);
      for (const char c : members) {
        if (!is_plain(c) || c == '-' || c == ':') return std::nullopt;
      }
      place = kClass;
      length = close + 1;
    } else if (!is_plain(place)) {
      return std::nullopt;
    }
    pattern.remove_prefix(length);
    const Count count = count_at(pattern);
    if (!count.valid || shape.places_.size() + count.places > kPlacesMax) return std::nullopt;
    pattern.remove_prefix(count.length);
    shape.places_.append(count.places, place);
    shape.classes_.insert(shape.classes_.end(), count.places, members);
  }
  return shape;
}

}  // namespace meldevakt::agent
