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
// HH:mm:ss (DOMAIN.md 1.3). Pure. Thread-safety: pure functions. Bounds: kCsvBytesMax,
// kFieldBytesMax.
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

struct Receipt {
  std::string portal;                // "npb": the name in the configuration
  std::string message_id;            // lower-case UUID
  std::optional<Instant> sent;       // innsendt
  std::optional<Instant> confirmed;  // bekreftet: the receipt proper
  FormType form = FormType::kUnknown;
  std::string channel;   // kanal: a word of the channel list in channel_from_text, else "other"
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
// and marks.
using ColumnMapping = std::map<std::string, std::vector<std::string>>;
[[nodiscard]] ColumnMapping default_columns();

struct RowError {
  std::uint64_t row = 0;  // the header is row 1
  std::string message;    // what is wrong and what is expected; never the row's text
};
struct Imported {
  std::vector<Receipt> receipts;
  std::vector<RowError> errors;
  std::uint64_t rows = 0;      // data rows read
  std::uint64_t repeated = 0;  // identical rows seen again
};
// Error (kInvalid, kLimit) only when nothing can be read at all: no header, a required column
// missing.
[[nodiscard]] Result<Imported> parse_receipts(std::string_view csv, std::string_view portal,
                                              const ColumnMapping& columns, const TimeZone& zone);

}  // namespace meldevakt::collector
