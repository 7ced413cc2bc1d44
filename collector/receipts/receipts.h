// Receipts: the portal's word for each message, imported from its CSV (DOMAIN.md 1.1).
//
// No public source shows the real headings, so columns are mapped by configuration and several
// spellings are accepted (default_columns()). A bad row is reported with its number and the reason
// and costs no other row. RFC 4180 quoting; separator ';' or ',' found from the header; UTF-8 with
// or without BOM, else Windows-1252.
//
//   Imported imported = parse_receipts(csv, mapping, zone);
//
// Times: RFC 3339 with offset; epoch ms; ISO local without zone (Norwegian time); dd.MM.yyyy
// HH:mm:ss (DOMAIN.md 1.3). In the hour that autumn repeats a local time has two readings: `sent`
// takes the earlier (deadlines that count from it come sooner, never later), `confirmed` the later
// (a receipt is never said to precede a commit because of it).
//
// A message may have several rows, since its state changes: whatever their order, the row confirmed
// last is the portal's newest word; the earliest `sent` and a known form of the others are kept.
//
// Pure. Thread-safety: pure functions. Bounds: kCsvBytesMax, kFieldBytesMax, kRowErrorsMax.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/ports/time_zone.h"
#include "common/summary/signal.h"

namespace meldevakt::collector {

inline constexpr std::size_t kCsvBytesMax = 64 * 1024 * 1024;
inline constexpr std::size_t kFieldBytesMax = 4096;
inline constexpr std::size_t kRowErrorsMax = 10'000;  // bad rows that are listed; all are counted

// The words of Receipt::channel. "other": the portal says something else; "": it says nothing.
inline constexpr std::string_view kCaseSystemChannel = "case_system";  // over Fiks IO
inline constexpr std::string_view kSvarUtChannel = "svarut";           // SvarUt, SvarInn
inline constexpr std::string_view kManualChannel = "manual";           // downloaded by a person
inline constexpr std::string_view kPrintChannel = "print";             // printed and posted
inline constexpr std::string_view kOtherChannel = "other";
[[nodiscard]] std::string_view channel_from_text(std::string_view text);

struct Receipt {
  std::string portal;                // "npb": the name in the configuration
  std::string message_id;            // lower-case UUID
  std::optional<Instant> sent;       // innsendt
  std::optional<Instant> confirmed;  // bekreftet: the receipt proper
  FormType form = FormType::kUnknown;
  std::string channel;   // kanal: a word of channel_from_text
  std::string district;  // bydelRessursId, opaque; "" when absent
  auto operator<=>(const Receipt&) const = default;
};

// Portal P's rows hold every message sent in the interval: the receipts' own coverage.
struct ReceiptCoverage {
  std::string portal;
  Interval span;
  auto operator<=>(const ReceiptCoverage&) const = default;
};

// Field of Receipt ("message_id", "sent", ...) -> accepted headings, compared without case, blanks
// and marks ("å" as "a"). A field that a mapping does not name keeps its default headings.
using ColumnMapping = std::map<std::string, std::vector<std::string>>;
[[nodiscard]] ColumnMapping default_columns();

struct RowError {
  std::uint64_t row = 0;  // the header is row 1
  std::string message;    // what is wrong and what is expected; never the row's text
};
struct Imported {
  std::vector<Receipt> receipts;
  std::vector<RowError> errors;
  std::uint64_t rows = 0;      // data rows read, bad ones too
  std::uint64_t bad_rows = 0;  // may be more than `errors` lists
  std::uint64_t repeated = 0;  // identical rows seen again
};
// Error (kInvalid, kLimit) only when nothing can be read at all: no header, a required column
// (message_id, sent, confirmed) missing.
[[nodiscard]] Result<Imported> parse_receipts(std::string_view csv, std::string_view portal,
                                              const ColumnMapping& columns, const TimeZone& zone);

}  // namespace meldevakt::collector
