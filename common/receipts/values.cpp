#include "common/receipts/values.h"

#include <algorithm>

#include "common/base/limits.h"
#include "common/base/text.h"
#include "common/privacy/privacy.h"
#include "common/receipts/headings.h"
#include "common/receipts/receipts.h"

namespace meldevakt {
namespace {

constexpr std::size_t kEpochDigitsMin = 12;                 // from September 2001 on
constexpr std::uint64_t kEpochMsMax = 253'402'300'799'999;  // the end of the year 9999

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Reads a local time piece by piece; `ok` falls at the first piece that does not fit.
struct Pieces {
  std::string_view rest;
  bool ok = true;

  int number(std::size_t digits) {
    if (rest.size() < digits || !std::all_of(rest.begin(), rest.begin() + digits, is_digit)) {
      ok = false;
      return 0;
    }
    int value = 0;
    for (const char c : rest.substr(0, digits)) value = value * 10 + (c - '0');
    rest.remove_prefix(digits);
    return value;
  }
  void mark(std::string_view one_of) {
    if (rest.empty() || one_of.find(rest.front()) == std::string_view::npos) {
      ok = false;
      return;
    }
    rest.remove_prefix(1);
  }
  [[nodiscard]] bool next_is(char c) const { return ok && !rest.empty() && rest.front() == c; }
};

void time_of_day(Pieces& in, LocalTime& out) {
  out.hour = in.number(2);
  in.mark(":");
  out.minute = in.number(2);
  if (!in.next_is(':')) return;
  in.mark(":");
  out.second = in.number(2);
  if (!in.next_is('.') && !in.next_is(',')) return;
  in.mark(".,");
  int scale = 100;  // digits beyond milliseconds are cut
  if (in.rest.empty()) in.ok = false;
  while (in.ok && !in.rest.empty()) {
    out.millisecond += in.number(1) * scale;
    scale /= 10;
  }
}

std::optional<LocalTime> parse_local(std::string_view text) {
  Pieces in{text};
  LocalTime out;
  if (text.size() > 2 && text[2] == '.') {  // dd.MM.yyyy HH:mm[:ss]
    out.day = in.number(2);
    in.mark(".");
    out.month = in.number(2);
    in.mark(".");
    out.year = in.number(4);
    in.mark(" ");
  } else {  // yyyy-MM-dd HH:mm[:ss[.fff]]
    out.year = in.number(4);
    in.mark("-");
    out.month = in.number(2);
    in.mark("-");
    out.day = in.number(2);
    in.mark("T ");
  }
  time_of_day(in, out);
  if (!in.ok || !in.rest.empty() || !is_valid(out)) return std::nullopt;
  return out;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

Result<std::optional<Instant>> parse_cell_time(std::string_view text, const TimeZone& zone,
                                               Reading reading) {
  const std::string_view cell = trimmed(text);
  if (cell.empty()) return std::optional<Instant>{};
  if (const auto local = parse_local(cell)) {
    const TimeZone::Utc utc = zone.to_utc(*local);
    const bool later = reading == Reading::kLater && utc.second;
    return std::optional<Instant>{later ? *utc.second : utc.first};
  }
  const auto ms = parse_u64(cell);
  if (ms && cell.size() >= kEpochDigitsMin && *ms <= kEpochMsMax) {
    return std::optional<Instant>{Instant{static_cast<std::int64_t>(*ms)}};
  }
  if (auto instant = from_rfc3339(cell)) return std::optional<Instant>{instant.value()};
  return Error{Errc::kInvalid,
               "is not a time; understood are 2026-11-26T10:00:00+01:00, 2026-11-26T10:00:00, "
               "26.11.2026 10:00:00 and milliseconds since 1970"};
}

FormType form_from_cell(std::string_view text) {
  const std::string word = folded(text);
  if (word.rfind("privat", 0) == 0) return FormType::kPrivate;
  if (word.rfind("offentlig", 0) == 0) return FormType::kPublic;
  return FormType::kUnknown;
}

std::string district_from_cell(std::string_view text) {
  const std::string_view cell = trimmed(text);
  const bool plain =
      std::all_of(cell.begin(), cell.end(), [](char c) { return c > ' ' && c < 127; });
  if (!plain || cell.size() > limits::kIdentifierBytesMax) return "";
  if (!is_portal_uuid(cell) && holds_identity_number(cell)) return "";
  return std::string{cell};
}

std::string_view channel_from_text(std::string_view text) {
  const std::string word = folded(text);
  if (word.empty()) return "";
  const auto says = [&word](std::string_view part) { return word.find(part) != std::string::npos; };
  if (says("svarut") || says("svarinn")) return kSvarUtChannel;
  if (says("manuel") || says("nedlast")) return kManualChannel;
  if (says("fagsystem") || says("fiksio") || says("casesystem")) return kCaseSystemChannel;
  if (says("print") || says("brev") || word == "post") return kPrintChannel;
  return kOtherChannel;
}

}  // namespace meldevakt
