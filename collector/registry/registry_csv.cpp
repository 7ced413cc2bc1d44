#include "collector/registry/registry_csv.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "common/base/text.h"
#include "common/receipts/csv.h"
#include "common/receipts/headings.h"

namespace meldevakt::collector {
namespace {

constexpr std::array<std::string_view, 6> kColumns{"tenant", "kind", "value",
                                                   "label",  "from", "until"};
constexpr std::size_t kRequired = 3;  // of them, the first
constexpr std::size_t kDateBytes = 10;

using Columns = std::map<std::string_view, std::size_t>;

Result<Columns> columns_of(const std::vector<std::string>& headings) {
  Columns out;
  for (std::size_t i = 0; i < headings.size(); ++i) {
    const std::string heading = folded(headings[i]);
    const auto at = std::find(kColumns.begin(), kColumns.end(), heading);
    if (at == kColumns.end()) {
      const auto near = nearest_name(heading, {kColumns.begin(), kColumns.end()});
      return Error{Errc::kInvalid,
                   "row 1: there is no column '" + meldevakt::quoted(headings[i]) + "'" +
                       (near ? "; did you mean '" + *near + "'?"
                             : "; there are tenant, kind, value, label, from and until")};
    }
    if (!out.emplace(*at, i).second) {
      return Error{Errc::kInvalid, "row 1: two columns are called '" + std::string{*at} + "'"};
    }
  }
  for (std::size_t i = 0; i < kRequired; ++i) {
    if (!out.contains(kColumns[i])) {
      return Error{Errc::kInvalid, "row 1: the column '" + std::string{kColumns[i]} +
                                       "' is missing; the first row names the columns"};
    }
  }
  return out;
}

Result<TenantEntry> entry_of(const std::vector<std::string>& fields, const Columns& columns,
                             const TimeZone& zone) {
  const auto cell = [&](std::string_view name) -> std::string {
    const auto at = columns.find(name);
    return at == columns.end() || at->second >= fields.size() ? "" : fields[at->second];
  };
  TenantEntry out;
  out.tenant = cell("tenant");
  if (out.tenant.empty()) return Error{Errc::kInvalid, "no tenant is named"};
  const auto kind = entry_kind_from_string(cell("kind"));
  if (!kind) {
    const auto near = nearest_name(cell("kind"), all_entry_kind_names());
    return Error{Errc::kInvalid, std::string{"there is no such kind"} +
                                     (near ? "; did you mean '" + *near + "'?" : "")};
  }
  out.entry.kind = *kind;
  out.entry.value = cell("value");
  out.entry.label = cell("label");
  auto from = registry_time(cell("from"), kAlways.from, zone);
  if (!from) return std::move(from).error().in("from");
  auto until = registry_time(cell("until"), kAlways.to, zone);
  if (!until) return std::move(until).error().in("until");
  out.entry.span = {from.value(), until.value()};
  MELDEVAKT_TRY(check_entry(out.entry));
  return out;
}

}  // namespace

Result<Instant> registry_time(std::string_view text, Instant empty, const TimeZone& zone) {
  if (text.empty()) return empty;
  std::string iso{text};
  // As it is printed for people: 26.11.2026 or 26.11.2026 10:00:00.
  const bool printed = text.size() >= kDateBytes && text[2] == '.' && text[5] == '.';
  if (printed) iso = iso.substr(6, 4) + "-" + iso.substr(3, 2) + "-" + iso.substr(0, 2);
  const std::string_view rest = printed ? text.substr(kDateBytes) : std::string_view{};
  if (!printed && text.size() != kDateBytes) return from_rfc3339(text);
  if (!rest.empty() && rest.front() != ' ') return Error{Errc::kInvalid, "not a time"};
  // A date is its midnight in the zone.
  iso += "T" + (rest.empty() ? std::string{"00:00:00"} : std::string{rest.substr(1)}) + "Z";
  MELDEVAKT_TRY_ASSIGN(const Instant as_if_utc, from_rfc3339(iso));
  return zone.to_utc(to_local(as_if_utc, {})).first;
}

Result<RegistryRows> parse_registry(std::string_view csv, const TimeZone& zone) {
  if (csv.size() > kRegistryBytesMax) return Error{Errc::kLimit, "the file is too large"};
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (csv.substr(0, kMark.size()) == kMark) csv.remove_prefix(kMark.size());
  if (!is_utf8(csv)) return Error{Errc::kInvalid, "the file is no UTF-8; save it as UTF-8"};
  CsvReader reader{csv, separator_of(csv)};
  const std::optional<CsvRow> header = reader.next();
  if (!header || !header->problem.empty()) {
    return Error{Errc::kInvalid, "row 1: the first row must name the columns"};
  }
  MELDEVAKT_TRY_ASSIGN(const Columns columns, columns_of(header->fields));
  RegistryRows out;
  while (const std::optional<CsvRow> row = reader.next()) {
    if (row->blank()) continue;
    ++out.rows;
    Result<TenantEntry> entry = row->problem.empty()
                                    ? entry_of(row->fields, columns, zone)
                                    : Result<TenantEntry>{Error{Errc::kInvalid, row->problem}};
    if (entry) {
      out.entries.push_back(std::move(entry).value());
      continue;
    }
    ++out.bad_rows;
    if (out.errors.size() < kRowErrorsMax) {
      out.errors.push_back({row->number, entry.error().message()});
    }
  }
  return out;
}

}  // namespace meldevakt::collector
