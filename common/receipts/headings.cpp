#include "common/receipts/headings.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/text.h"
#include "common/receipts/csv.h"

namespace meldevakt {
namespace {

constexpr std::array<std::string_view, 3> kRequired{"message_id", "sent", "confirmed"};

// Letters of Latin-1 (U+00C0 to U+00FF, by the second byte of their UTF-8 form) without marks.
constexpr std::array<std::string_view, 64> kLatin{
    "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i",  "i",
    "d", "n", "o", "o", "o", "o", "o",  "",  "o", "u", "u", "u", "u", "y", "th", "ss",
    "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i",  "i",
    "d", "n", "o", "o", "o", "o", "o",  "",  "o", "u", "u", "u", "u", "y", "th", "y"};

bool is_plain_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

std::vector<std::string> field_names() {
  std::vector<std::string> names;
  for (const auto& [field, headings] : default_columns()) names.push_back(field);
  return names;
}

Result<ColumnMapping> completed(const ColumnMapping& columns) {
  ColumnMapping out = default_columns();
  for (const auto& [field, headings] : columns) {
    const auto at = out.find(field);
    if (at == out.end()) {
      std::string message = "a receipt has no field " + quoted(field);
      if (const auto near = nearest_name(field, field_names())) {
        message += "; did you mean '" + *near + "'?";
      }
      return Error{Errc::kInvalid, std::move(message)};
    }
    at->second = headings;
  }
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

}  // namespace

std::string folded(std::string_view utf8) {
  std::string out;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const char c = ascii_lower(utf8[i]);
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      if (is_plain_letter_or_digit(c)) out.push_back(c);
    } else if (byte == 0xC3 && i + 1 < utf8.size()) {
      out += kLatin[static_cast<unsigned char>(utf8[++i]) & 0x3FU];
    } else if (byte == 0xC2 && i + 1 < utf8.size()) {
      ++i;  // U+0080 to U+00BF: no letters; a no-break blank among them
    } else {
      out.push_back(c);
    }
  }
  return out;
}

Result<FieldColumns> find_columns(const std::vector<std::string>& headings,
                                  const ColumnMapping& columns) {
  MELDEVAKT_TRY_ASSIGN(const ColumnMapping mapping, completed(columns));
  std::vector<std::string> present;
  for (const std::string& heading : headings) present.push_back(folded(heading));
  FieldColumns out;
  for (const auto& [field, accepted] : mapping) {
    for (const std::string& heading : accepted) {
      const std::string wanted = folded(heading);
      const auto at = std::find(present.begin(), present.end(), wanted);
      if (wanted.empty() || at == present.end()) continue;
      if (std::find(at + 1, present.end(), wanted) != present.end()) {
        return Error{Errc::kInvalid, "two columns have the heading '" + heading + "'"};
      }
      out[field] = static_cast<std::size_t>(at - present.begin());
      break;
    }
  }
  for (const std::string_view field : kRequired) {
    if (out.count(std::string{field}) != 0) continue;
    return Error{Errc::kInvalid, "no column for " + std::string{field} + "; its heading may be " +
                                     joined(mapping.at(std::string{field})) +
                                     " (columns of the portal in the configuration)"};
  }
  return out;
}

char separator_of(std::string_view csv) {
  char best = ';';
  std::size_t most = 0;
  for (const char separator : {';', ',', '\t'}) {
    CsvReader reader{csv, separator};
    const auto row = reader.next();
    if (!row || row->fields.size() <= most) continue;
    most = row->fields.size();
    best = separator;
  }
  return best;
}

}  // namespace meldevakt
