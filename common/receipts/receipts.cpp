#include "common/receipts/receipts.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "common/base/text.h"
#include "common/privacy/privacy.h"
#include "common/receipts/counting_rows.h"
#include "common/receipts/csv.h"
#include "common/receipts/headings.h"
#include "common/receipts/values.h"

namespace meldevakt {
namespace {

// Windows-1252, 0x80 to 0x9F, as Unicode; 0 where the code page has nothing.
constexpr std::array<std::uint16_t, 32> kCp1252{
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

void append_code_point(std::string& out, unsigned code) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xC0U | (code >> 6U)));
    out.push_back(static_cast<char>(0x80U | (code & 0x3FU)));
  } else {
    out.push_back(static_cast<char>(0xE0U | (code >> 12U)));
    out.push_back(static_cast<char>(0x80U | ((code >> 6U) & 0x3FU)));
    out.push_back(static_cast<char>(0x80U | (code & 0x3FU)));
  }
}

std::string from_cp1252(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 8);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    const bool special = byte >= 0x80 && byte < 0xA0;
    const unsigned code = special ? kCp1252[byte - 0x80U] : byte;
    append_code_point(out, code == 0 && special ? 0xFFFDU : code);
  }
  return out;
}

Result<std::string> as_utf8(std::string_view csv) {
  constexpr std::string_view bom = "\xEF\xBB\xBF";
  if (csv.substr(0, bom.size()) == bom) csv.remove_prefix(bom.size());
  if (csv.substr(0, 2) == "\xFF\xFE" || csv.substr(0, 2) == "\xFE\xFF" ||
      csv.substr(0, 4096).find('\0') != std::string_view::npos) {
    return Error{Errc::kInvalid, "the file is UTF-16 or no text; save it as CSV in UTF-8"};
  }
  if (is_utf8(csv)) return std::string{csv};
  return from_cp1252(csv);
}

std::string_view cell(const std::vector<std::string>& fields, const FieldColumns& columns,
                      const char* field) {
  const auto at = columns.find(field);
  if (at == columns.end() || at->second >= fields.size()) return {};
  return fields[at->second];
}

Result<Receipt> receipt_of(const CsvRow& row, std::size_t width, std::string_view portal,
                           const FieldColumns& columns, const TimeZone& zone,
                           const ListOwner& owner) {
  if (!row.problem.empty()) return Error{Errc::kInvalid, row.problem};
  if (row.fields.size() != width) {
    return Error{Errc::kInvalid, "the row has " + std::to_string(row.fields.size()) +
                                     " fields, the header " + std::to_string(width)};
  }
  return receipt_of_row(row.fields, columns, portal, zone, owner);
}

bool holds(const std::vector<std::string>& ids, std::string_view id) {
  return std::any_of(ids.begin(), ids.end(), [id](const std::string& one) {
    return std::equal(one.begin(), one.end(), id.begin(), id.end(),
                      [](char a, char b) { return ascii_lower(a) == ascii_lower(b); });
  });
}

}  // namespace

std::string_view ListOwner::refuses(std::string_view organisation) const {
  if (organisation.empty()) return "";
  if (holds(others, organisation))
    return "is another tenant's in the register (portal_organisation)";
  if (organisations.empty() || holds(organisations, organisation)) return "";
  return "is none of those named for this tenant: import it for the one it belongs to, or name it "
         "(portal_organisation in the register, organisations of an agent's source)";
}

Result<Receipt> receipt_of_row(const std::vector<std::string>& fields, const FieldColumns& columns,
                               std::string_view portal, const TimeZone& zone,
                               const ListOwner& owner) {
  Receipt out;
  out.portal = portal;
  const std::string_view why = owner.refuses(trimmed(cell(fields, columns, "organisation")));
  if (!why.empty()) return Error{Errc::kInvalid, "fiksOrgId " + std::string{why}};
  const std::string_view id = trimmed(cell(fields, columns, "message_id"));
  if (!is_portal_uuid(id)) {
    return Error{Errc::kInvalid,
                 "message_id is not a UUID of version 4 (8-4-4-4-12 hexadecimal digits)"};
  }
  for (const char c : id) out.message_id.push_back(ascii_lower(c));
  auto sent = parse_cell_time(cell(fields, columns, "sent"), zone, Reading::kEarlier);
  if (!sent) return Error{Errc::kInvalid, "sent " + sent.error().message()};
  auto confirmed = parse_cell_time(cell(fields, columns, "confirmed"), zone, Reading::kLater);
  if (!confirmed) return Error{Errc::kInvalid, "confirmed " + confirmed.error().message()};
  if (!sent.value() && !confirmed.value()) {
    return Error{Errc::kInvalid, "sent and confirmed are both empty"};
  }
  out.sent = sent.value();
  out.confirmed = confirmed.value();
  out.form = form_from_cell(cell(fields, columns, "form"));
  out.channel = channel_from_text(cell(fields, columns, "channel"));
  out.district = district_from_cell(cell(fields, columns, "district"));
  return out;
}

ColumnMapping default_columns() {
  return {
      {"message_id", {"bekymringsmeldingId", "message_id"}},
      {"sent", {"innsendt", "sendt inn", "sendt", "innsendt tidspunkt", "sent"}},
      {"confirmed", {"bekreftet", "bekreftet mottatt", "bekreftet tidspunkt", "confirmed"}},
      {"form", {"skjemaType", "skjema", "form"}},
      {"channel", {"kanal", "leveringskanal", "channel"}},
      {"district", {"bydelRessursId", "bydelsRessursId", "district"}},
      {"organisation", {"fiksOrgId"}},
  };
}

Result<Imported> parse_receipts(std::string_view csv, std::string_view portal,
                                const ColumnMapping& columns, const TimeZone& zone, Instant told,
                                const ListOwner& owner) {
  if (csv.size() > kCsvBytesMax) {
    return Error{Errc::kLimit,
                 "the file is larger than " + std::to_string(kCsvBytesMax) + " bytes"};
  }
  MELDEVAKT_TRY_ASSIGN(const std::string text, as_utf8(csv));
  CsvReader reader{text, separator_of(text)};
  auto header = reader.next();
  if (!header) return Error{Errc::kInvalid, "the file is empty; its first row must be a header"};
  if (!header->problem.empty()) return Error{Errc::kInvalid, "header: " + header->problem};
  MELDEVAKT_TRY_ASSIGN(const FieldColumns found, find_columns(header->fields, columns));

  Imported out;
  std::set<std::pair<std::string, Receipt>> distinct;  // by message
  while (auto row = reader.next()) {
    if (row->blank()) continue;
    ++out.rows;
    auto receipt = receipt_of(*row, header->fields.size(), portal, found, zone, owner);
    if (receipt) {
      if (lies_ahead(receipt.value(), told)) ++out.ahead;
      if (!distinct.emplace(receipt.value().message_id, receipt.value()).second) ++out.repeated;
      continue;
    }
    ++out.bad_rows;
    if (out.errors.size() < kRowErrorsMax) {
      out.errors.push_back({row->number, receipt.error().message()});
    }
  }
  for (const auto& [id, row] : distinct) out.receipts.push_back(row);
  return out;
}

}  // namespace meldevakt
