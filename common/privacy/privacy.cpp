#include "common/privacy/privacy.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "common/base/text.h"
#include "common/ports/sha256.h"

namespace meldevakt {
namespace {

constexpr std::size_t kHashDigits = 32;
constexpr std::size_t kIdentityDigits = 11;
constexpr std::size_t kDufDigits = 12;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string lower_case(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(), ascii_lower);
  return out;
}

bool is_lower_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    const bool hexadecimal = is_digit(text[i]) || (text[i] >= 'a' && text[i] <= 'f');
    if (hyphen ? text[i] != '-' : !hexadecimal) return false;
  }
  return true;
}

// What people and programs put between the groups of one number. Longest first.
constexpr std::array<std::string_view, 12> kSeparators{
    "\xe2\x80\x90",
    "\xe2\x80\x91",
    "\xe2\x80\x92",
    "\xe2\x80\x93",  // hyphens and dashes
    "\xe2\x80\xaf",
    "\xe2\x80\x89",  // narrow and thin blank
    "\xc2\xa0",      // blank that does not break
    " ",
    "\t",
    ".",
    "-",
    "\xc2\xad",  // soft hyphen
};
constexpr std::size_t kSeparatorsBetweenGroupsMax = 3;

// Bytes of separators at the start of `text`, up to three of them; 0 when there is none.
std::size_t separator_bytes(std::string_view text) {
  std::size_t bytes = 0;
  for (std::size_t n = 0; n < kSeparatorsBetweenGroupsMax; ++n) {
    const auto* const found =
        std::find_if(kSeparators.begin(), kSeparators.end(), [&](std::string_view separator) {
          return text.substr(bytes, separator.size()) == separator;
        });
    if (found == kSeparators.end()) break;
    bytes += found->size();
  }
  return bytes;
}

// Whether neighbouring groups, all of them whole, add up to as many digits as an identity number.
bool holds_sum(const std::vector<std::size_t>& groups) {
  for (std::size_t first = 0; first < groups.size(); ++first) {
    std::size_t digits = 0;
    for (std::size_t last = first; last < groups.size() && digits < kDufDigits; ++last) {
      digits += groups[last];
      if (digits == kIdentityDigits || digits == kDufDigits) return true;
    }
  }
  return false;
}

int digit(std::string_view digits, std::size_t index) {
  return digits[index] - '0';
}

template <std::size_t n>
int weighted_sum(std::string_view digits, const std::array<int, n>& weights) {
  int sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += digit(digits, i) * weights[i];
  return sum;
}

// Both rules are valid side by side. By the old one the first sum leaves no remainder; by that of
// 2032 it may leave 0, 1, 2 or 3. The second control digit is as it was.
bool control_digits_fit(std::string_view digits) {
  constexpr std::array<int, 10> first{3, 7, 6, 1, 8, 9, 4, 5, 2, 1};
  constexpr std::array<int, 11> second{5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1};
  return weighted_sum(digits, first) % 11 <= 3 && weighted_sum(digits, second) % 11 == 0;
}

bool is_date(int day, int month) {
  constexpr std::array<int, 12> days{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month >= 1 && month <= 12 && day >= 1 && day <= days[static_cast<std::size_t>(month - 1)];
}

}  // namespace

std::optional<Reference> PrivacyStep::reference(ReferenceType type, std::string_view raw) const {
  if (raw.empty() || raw.size() > kRawReferenceBytesMax) return std::nullopt;
  if (type == ReferenceType::kPortalMessageId) {
    // One that is no UUID of the portal's kind has no form in which it could leave.
    if (!is_portal_uuid(raw)) return std::nullopt;
    return Reference{type, lower_case(raw)};
  }
  if (tenant_key_.empty()) return std::nullopt;
  // Programs differ in how they write a UUID; it must be one reference all the same.
  const std::string folded = lower_case(raw);
  std::string input{to_string(type)};
  input.push_back('\0');
  input += is_lower_uuid(folded) ? std::string_view{folded} : raw;
  return Reference{type, hmac_sha256(tenant_key_, input).hex().substr(0, kHashDigits)};
}

bool is_portal_uuid(std::string_view text) {
  const std::string folded = lower_case(text);
  return is_well_formed(Reference{ReferenceType::kPortalMessageId, folded});
}

bool holds_identity_number(std::string_view text) {
  std::vector<std::size_t> groups;  // lengths of runs of digits with nothing but separators between
  std::size_t at = 0;
  while (at < text.size()) {
    if (!is_digit(text[at])) {
      if (holds_sum(groups)) return true;
      groups.clear();
      ++at;
      continue;
    }
    const std::size_t from = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    groups.push_back(at - from);
    at += separator_bytes(text.substr(at));
  }
  return holds_sum(groups);
}

IdentityNumber classify_identity_number(std::string_view digits) {
  if (!std::all_of(digits.begin(), digits.end(), is_digit)) return IdentityNumber::kNone;
  if (digits.size() == kDufDigits) return IdentityNumber::kDuf;
  if (digits.size() != kIdentityDigits || !control_digits_fit(digits)) {
    return IdentityNumber::kNone;
  }
  if (digits[0] >= '8') return IdentityNumber::kFhNumber;
  int day = digit(digits, 0) * 10 + digit(digits, 1);
  int month = digit(digits, 2) * 10 + digit(digits, 3);
  const bool day_moved = day > 40;
  if (day_moved) day -= 40;
  if (month > 80)
    return is_date(day, month - 80) ? IdentityNumber::kSynthetic : IdentityNumber::kNone;
  // NAV's synthetic numbers add 40 too; by the digits alone they are H-numbers.
  if (month > 40)
    return is_date(day, month - 40) ? IdentityNumber::kHNumber : IdentityNumber::kNone;
  if (!is_date(day, month)) return IdentityNumber::kNone;
  return day_moved ? IdentityNumber::kDNumber : IdentityNumber::kBirthNumber;
}

}  // namespace meldevakt
