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

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/ports/time_zone.h"
#include "common/summary/receipt.h"

namespace meldevakt {

inline constexpr std::size_t kCsvBytesMax = 64 * 1024 * 1024;
inline constexpr std::size_t kFieldBytesMax = 4096;
inline constexpr std::size_t kRowErrorsMax = 10'000;  // bad rows that are listed; all are counted

[[nodiscard]] std::string_view channel_from_text(std::string_view text);

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
// One row whose columns are known (headings.h). The error says what is wrong and what is expected,
// never what the row says.
[[nodiscard]] Result<Receipt> receipt_of_row(const std::vector<std::string>& fields,
                                             const std::map<std::string, std::size_t>& columns,
                                             std::string_view portal, const TimeZone& zone);

// Error (kInvalid, kLimit) only when nothing can be read at all: no header, a required column
// (message_id, sent, confirmed) missing.
[[nodiscard]] Result<Imported> parse_receipts(std::string_view csv, std::string_view portal,
                                              const ColumnMapping& columns, const TimeZone& zone);

}  // namespace meldevakt
