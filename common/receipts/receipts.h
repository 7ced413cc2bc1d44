// Receipts: the portal's word for each message, imported from its CSV (DOMAIN.md 1.1).
//
// No public source shows the real headings, so columns are mapped by configuration and several
// spellings are accepted (default_columns()). A bad row is reported with its number and the reason
// and costs no other row. RFC 4180 quoting; separator ';' or ',' found from the header; UTF-8 with
// or without BOM, else Windows-1252.
//
//   Imported imported = parse_receipts(csv, "npb", mapping, zone, now);
//
// Times: RFC 3339 with offset; epoch ms; ISO local without zone (Norwegian time); dd.MM.yyyy
// HH:mm:ss (DOMAIN.md 1.3). In the hour that autumn repeats a local time has two readings: `sent`
// takes the earlier (deadlines that count from it come sooner, never later), `confirmed` the later
// (a receipt is never said to precede a commit because of it).
//
// A message may have several rows, since its state changes, in one file or in several: all of them
// are given, and what counts of them is for counting_rows.h to say.
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

// Whose list it is, by the portal's ids of organisations (`fiksOrgId`): who downloads the list of
// another municipality, or imports it for the wrong one, is told so row by row. Compared without
// case. A list without such a column, and a row without such an id, are taken at their word.
struct ListOwner {
  std::vector<std::string> organisations;  // only these; none: any
  std::vector<std::string> others;         // these belong to somebody else

  // "" or why that organisation's row is none of the owner's.
  [[nodiscard]] std::string_view refuses(std::string_view organisation) const;
};

struct RowError {
  std::uint64_t row = 0;  // the header is row 1
  std::string message;    // what is wrong and what is expected; never the row's text
};
struct Imported {
  std::vector<Receipt> receipts;  // every distinct row, by message
  std::vector<RowError> errors;
  std::uint64_t rows = 0;      // data rows read, bad ones too
  std::uint64_t bad_rows = 0;  // may be more than `errors` lists
  std::uint64_t repeated = 0;  // identical rows seen again
  std::uint64_t ahead = 0;     // rows with times still to come (counting_rows.h)
};
// One row whose columns are known (headings.h). The error says what is wrong and what is expected,
// never what the row says.
[[nodiscard]] Result<Receipt> receipt_of_row(const std::vector<std::string>& fields,
                                             const std::map<std::string, std::size_t>& columns,
                                             std::string_view portal, const TimeZone& zone,
                                             const ListOwner& owner = {});

// Error (kInvalid, kLimit) only when nothing can be read at all: no header, a required column
// (message_id, sent, confirmed) missing. `told`: when the list is read.
[[nodiscard]] Result<Imported> parse_receipts(std::string_view csv, std::string_view portal,
                                              const ColumnMapping& columns, const TimeZone& zone,
                                              Instant told, const ListOwner& owner = {});

}  // namespace meldevakt
