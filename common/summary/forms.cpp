#include "common/summary/forms.h"

#include <algorithm>

#include "common/base/limits.h"
#include "common/base/text.h"

namespace meldevakt {
namespace {

bool has_identifier_length(std::string_view text) {
  return !text.empty() && text.size() <= limits::kIdentifierBytesMax;
}

// C0, DEL and, in UTF-8, C1 (U+0080 to U+009F).
bool holds_control(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7f) return true;
    if (c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool is_name(std::string_view text) {
  return has_identifier_length(text) && is_utf8(text) && !holds_control(text);
}

bool is_code(std::string_view text) {
  return has_identifier_length(text) &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool is_district_number(std::string_view text) {
  return text.size() == 2 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_wire_time(Instant time) {
  return time.ms >= 0 && time <= kWireTimeMax;
}

}  // namespace meldevakt
