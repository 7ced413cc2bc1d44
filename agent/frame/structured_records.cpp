#include "agent/frame/structured_records.h"

#include <algorithm>
#include <utility>

namespace meldevakt::agent {
namespace {

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

// "<msg", but not "<msgs".
bool has_start_tag(std::string_view line, const std::string& element) {
  const std::string tag = "<" + element;
  for (std::size_t at = 0; (at = line.find(tag, at)) != std::string_view::npos; ++at) {
    const std::size_t behind = at + tag.size();
    if (behind >= line.size()) return true;
    if (std::string_view{" \t\r/>"}.find(line[behind]) != std::string_view::npos) return true;
  }
  return false;
}

// The delimiter of a line that names columns: ';', ',' or a tab, whichever cuts it into most
// fields.
char delimiter_of(std::string_view header) {
  char best = ';';
  std::size_t most = 0;
  for (const char delimiter : {';', ',', '\t'}) {
    const std::size_t fields = csv_fields(header, delimiter).values.size();
    if (fields <= most) continue;
    most = fields;
    best = delimiter;
  }
  return best;
}

// How carried() says which delimiter was found.
constexpr std::string_view kFoundDelimiter = " delimiter=";

void take(FieldView view, Record& record) {
  record.text = std::move(view.text);
  record.malformed = view.malformed;
}

}  // namespace

StructuredRecords::StructuredRecords(RecordShape shape)
    : shape_{std::move(shape)},
      find_delimiter_{shape_.delimiter == RecordShape::kDelimiterFromHeader},
      csv_{shape_.delimiter} {
  if (find_delimiter_) shape_.delimiter = ';';
}

// A whole record with a known number of fields, or the beginning of one that may become it.
bool StructuredRecords::looks_like_csv(std::string_view line, const LineTests& tests) const {
  if (tests.starts && !tests.starts(line)) return false;
  if (shape_.columns.empty()) return true;
  CsvScan scan{shape_.delimiter};
  scan.add(line);
  return std::any_of(shape_.columns.begin(), shape_.columns.end(), [&scan](const auto& names) {
    return scan.in_quotes() ? scan.fields() <= names.size() : scan.fields() == names.size();
  });
}

bool StructuredRecords::starts(std::string_view line, bool over, const LineTests& tests) const {
  switch (shape_.kind) {
    case RecordKind::kLines: return false;
    case RecordKind::kCsv:
      if (is_blank(line)) return false;
      if (lost_ || (over && csv_.in_quotes())) return looks_like_csv(line, tests);
      return !csv_.in_quotes();
    case RecordKind::kXml: return starts_xml(line, over);
    case RecordKind::kJsonLines:
    case RecordKind::kW3c: return !is_blank(line);
  }
  return false;
}

// In CDATA and in a value a tag is text. But no value holds "<" by the rules of XML: a line that
// begins with a start tag is the next record, the one before having been torn.
bool StructuredRecords::starts_xml(std::string_view line, bool over) const {
  if (!has_start_tag(line, shape_.element)) return false;
  if (over) return true;
  if (place_.in_cdata()) return false;
  if (!place_.in_value()) return true;
  const std::size_t first = line.find_first_not_of(" \t");
  return !in_line_ && has_start_tag(line.substr(first, shape_.element.size() + 2), shape_.element);
}

bool StructuredRecords::add(std::string_view line, bool begins, bool cut, bool at_tag) {
  if (shape_.kind == RecordKind::kXml) {
    if (begins) place_ = XmlPlace{};
    place_.add(line);
    if (cut) place_ = XmlPlace{};  // what was cut off may have ended anything
    in_line_ = at_tag && (place_.in_cdata() || place_.in_value());
    return false;
  }
  if (shape_.kind != RecordKind::kCsv) return true;
  if (begins) {
    if (find_delimiter_ && shape_.columns.empty()) shape_.delimiter = delimiter_of(line);
    csv_ = CsvScan{shape_.delimiter};
    lost_ = false;
  }
  if (lost_) return false;
  csv_.add(line);
  if (cut) lost_ = true;  // quotes may stand in what was cut off
  return !csv_.in_quotes() && !cut;
}

bool StructuredRecords::is_csv_header(const Record& record, const LineTests& tests) const {
  if (!shape_.columns_from_header || record.orphan) return false;
  return tests.header_only ? tests.header_only(record.text) : record.offset == 0;
}

void StructuredRecords::finish_csv(Record& record, const LineTests& tests) {
  if (is_csv_header(record, tests)) {
    if (find_delimiter_) shape_.delimiter = delimiter_of(record.text);
    std::vector<std::string> names = csv_fields(record.text, shape_.delimiter).values;
    if (names.size() > RecordShape::kColumnsMax) names.resize(RecordShape::kColumnsMax);
    for (std::string& name : names) {
      name.resize(std::min(name.size(), FieldView::kNameBytesMax));
      std::replace(name.begin(), name.end(), '\n', ' ');  // they are carried line by line
    }
    shape_.columns = {std::move(names)};
    record.context = true;
    return;
  }
  take(csv_view(record.text, shape_.delimiter, shape_.columns), record);
  // Completed by idle() amid quotes: what follows is not to be taken for records.
  if (csv_.in_quotes()) {
    lost_ = true;
    csv_ = CsvScan{shape_.delimiter};
  }
}

void StructuredRecords::finish(Record& record, const LineTests& tests) {
  place_ = XmlPlace{};
  in_line_ = false;
  if (record.orphan) return;
  switch (shape_.kind) {
    case RecordKind::kLines: break;
    case RecordKind::kCsv: finish_csv(record, tests); break;
    case RecordKind::kJsonLines: take(json_view(record.text, shape_.byte_fields), record); break;
    case RecordKind::kXml: take(xml_view(record.text, shape_.element), record); break;
    case RecordKind::kW3c:
      if (W3cLog::is_directive(record.text)) {
        w3c_.direct(record.text);
        record.context = true;
      } else {
        take(w3c_.view(record.text), record);
      }
      break;
  }
}

// Lines: "lost" or "", then the names.
std::string StructuredRecords::carried() const {
  std::vector<std::string> lines;
  if (shape_.kind == RecordKind::kW3c) lines = w3c_.saved();
  if (shape_.columns_from_header && !shape_.columns.empty()) lines = shape_.columns.front();
  if (lines.empty() && !lost_) return "";
  std::string out = lost_ ? "lost" : "";
  if (find_delimiter_) out.append(kFoundDelimiter).append(1, shape_.delimiter);
  for (const std::string& line : lines) out.append(1, '\n').append(line);
  return out;
}

void StructuredRecords::set_carried(std::string_view carried) {
  if (carried.empty()) return;
  std::vector<std::string> lines;
  while (true) {
    const std::string_view line = carried.substr(0, carried.find('\n'));
    lines.emplace_back(line);
    if (line.size() == carried.size()) break;
    carried.remove_prefix(line.size() + 1);
  }
  std::string_view first = lines.front();
  const std::size_t found = first.find(kFoundDelimiter);
  if (find_delimiter_ && found != std::string_view::npos && first.size() > found) {
    shape_.delimiter = first.back();
    first = first.substr(0, found);
  }
  lost_ = first == "lost";
  lines.erase(lines.begin());
  if (shape_.kind == RecordKind::kW3c) w3c_.restore(lines);
  if (shape_.columns_from_header && !lines.empty()) shape_.columns = {std::move(lines)};
}

}  // namespace meldevakt::agent
