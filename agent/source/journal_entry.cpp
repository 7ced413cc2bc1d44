#include "agent/source/journal_entry.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "agent/source/names.h"
#include "common/base/text.h"

namespace meldevakt::agent {
namespace {

constexpr std::size_t kCursorBytesMax = 512;
constexpr std::size_t kIdDigits = 32;
constexpr std::size_t kPatternBytesMax = 256;
constexpr std::size_t kValuesMax = 16;  // of one repeated field

// Of the fields that journald itself adds, those that packs use.
constexpr std::array<std::string_view, 9> kTrusted{"_SOURCE_REALTIME_TIMESTAMP",
                                                   "_HOSTNAME",
                                                   "_TRANSPORT",
                                                   "_SYSTEMD_UNIT",
                                                   "_PID",
                                                   "_COMM",
                                                   "_UID",
                                                   "_KERNEL_DEVICE",
                                                   "_MACHINE_ID"};

Error no_cursor() {
  return {Errc::kCorrupt, "this is no cursor of a journal"};
}

bool is_id(std::string_view text) {
  return text.size() == kIdDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::optional<std::uint64_t> parse_hex(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

std::string hex(std::uint64_t number) {
  std::array<char, 16> digits{};
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return {digits.data(), written.ptr};
}

bool set_part(char name, std::string_view value, JournalCursor& out) {
  if (name == 's' || name == 'b') {
    (name == 's' ? out.sequence_id : out.boot_id) = value;
    return is_id(value);
  }
  const std::optional<std::uint64_t> number = parse_hex(value);
  if (!number) return false;
  switch (name) {
    case 'i': out.sequence = *number; return true;
    case 'm': out.monotonic_us = *number; return true;
    case 't': out.realtime_us = *number; return true;
    case 'x': out.content = *number; return true;
    default: return false;
  }
}

bool is_control(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x20) return byte != '\t' && byte != '\n';
  if (byte == 0x7f) return true;
  // U+0080 to U+009F
  return byte == 0xc2 && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xa0;
}

bool is_printable(std::string_view value) {
  if (!is_utf8(value)) return false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (is_control(value, i)) return false;
  }
  return true;
}

// At most kJournalFieldBytesMax, and no half of a character.
std::string_view cut(std::string_view value) {
  if (value.size() <= kJournalFieldBytesMax) return value;
  std::size_t end = kJournalFieldBytesMax;
  for (int back = 0; back < 4 && (static_cast<unsigned char>(value[end]) & 0xc0U) == 0x80; ++back) {
    --end;
  }
  return value.substr(0, end);
}

void add_text(std::string_view value, std::string& out) {
  out += '"';
  for (const char c : value) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\t': out += "\\t"; break;
      default: out += c;
    }
  }
  out += '"';
}

void add_value(std::string_view value, std::string& out) {
  value = cut(value);
  if (is_printable(value)) {
    add_text(value, out);
    return;
  }
  out += '[';
  for (const char c : value) {
    if (out.back() != '[') out += ',';
    out += std::to_string(static_cast<unsigned char>(c));
  }
  out += ']';
}

bool is_field_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool is_rendered(std::string_view name) {
  if (!is_field_name(name) || name == "_BOOT_ID") return false;  // the cursor has it
  return name.front() != '_' || std::find(kTrusted.begin(), kTrusted.end(), name) != kTrusted.end();
}

void add_field(const JournalEntry& entry, std::string_view name, std::string& line) {
  std::string text;
  std::size_t values = 0;
  for (const JournalField& field : entry.fields) {
    if (field.name != name || values == kValuesMax) continue;
    if (values++ > 0) text += ',';
    add_value(field.value, text);
    if (text.size() > kJournalLineBytesMax) return;
  }
  if (values > 1) text = "[" + text + "]";
  if (values == 0 || line.size() + name.size() + text.size() + 8 > kJournalLineBytesMax) return;
  line.append(",\"").append(name).append("\":").append(text);
}

bool any_matches(const std::vector<std::string>& patterns, std::string_view name) {
  if (name.empty()) return false;
  const std::string text{name};
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return matches(pattern, text); });
}

Status check_pattern(const std::string& pattern, std::string_view key) {
  const bool good = !pattern.empty() && pattern.size() <= kPatternBytesMax &&
                    is_printable(pattern) && pattern.find_first_of("/\n\t ") == std::string::npos;
  if (good) return {};
  return Error{Errc::kInvalid, "'" + quoted(pattern) + "' in '" + std::string{key} +
                                   "' is no name; write e.g. \"postgresql.service\""};
}

}  // namespace

Result<JournalCursor> parse_journal_cursor(std::string_view text) {
  if (text.size() > kCursorBytesMax) return no_cursor();
  JournalCursor out;
  std::string seen;
  while (true) {
    const std::string_view part = text.substr(0, text.find(';'));
    if (part.size() < 3 || part[1] != '=' || seen.find(part[0]) != std::string::npos ||
        !set_part(part[0], part.substr(2), out)) {
      return no_cursor();
    }
    seen += part[0];
    if (part.size() == text.size()) break;
    text.remove_prefix(part.size() + 1);
  }
  if (seen.size() != 6) return no_cursor();
  return out;
}

std::string to_string(const JournalCursor& cursor) {
  return "s=" + cursor.sequence_id + ";i=" + hex(cursor.sequence) + ";b=" + cursor.boot_id +
         ";m=" + hex(cursor.monotonic_us) + ";t=" + hex(cursor.realtime_us) +
         ";x=" + hex(cursor.content);
}

bool same_entry(const JournalCursor& a, const JournalCursor& b) {
  if (a.sequence_id == b.sequence_id) return a.sequence == b.sequence;
  return a.boot_id == b.boot_id && a.monotonic_us == b.monotonic_us &&
         a.realtime_us == b.realtime_us && a.content == b.content;
}

std::string_view JournalEntry::first(std::string_view name) const {
  for (const JournalField& field : fields) {
    if (field.name == name) return field.value;
  }
  return "";
}

bool is_used_journal_field(std::string_view name) {
  return is_rendered(name);  // filters ask for nothing else
}

bool JournalFilter::takes(const JournalEntry& entry) const {
  if (everything) return true;
  if (kernel && entry.first("_TRANSPORT") == "kernel") return true;
  if (any_matches(identifiers, entry.first("SYSLOG_IDENTIFIER"))) return true;
  if (units.empty()) return false;
  if (any_matches(units, entry.first("_SYSTEMD_UNIT"))) return true;
  // What others say of a unit counts when they may say it: anybody can send such a field.
  if (entry.first("_PID") == "1" && any_matches(units, entry.first("UNIT"))) return true;
  if (entry.first("_UID") != "0") return false;
  return any_matches(units, entry.first("OBJECT_SYSTEMD_UNIT")) ||
         any_matches(units, entry.first("COREDUMP_UNIT"));
}

Result<JournalFilter> parse_journal_filter(const std::vector<std::string>& units,
                                           const std::vector<std::string>& identifiers) {
  JournalFilter out;
  if (units.size() + identifiers.size() > kJournalPatternsMax) {
    return Error{Errc::kInvalid, "more than " + std::to_string(kJournalPatternsMax) +
                                     " names; write \"*\" for everything"};
  }
  for (const std::string& unit : units) {
    MELDEVAKT_TRY(check_pattern(unit, "journal"));
    if (unit == "*") {
      out.everything = true;
    } else if (unit == "kernel") {
      out.kernel = true;
    } else {
      out.units.push_back(unit.find('.') == std::string::npos ? unit + ".service" : unit);
    }
  }
  for (const std::string& identifier : identifiers) {
    MELDEVAKT_TRY(check_pattern(identifier, "identifiers"));
    out.identifiers.push_back(identifier);
  }
  if (units.empty() && identifiers.empty()) {
    return Error{Errc::kInvalid,
                 "'journal' names no unit; write e.g. [\"kernel\", \"postgresql@*.service\"], or "
                 "[\"*\"] for everything"};
  }
  return out;
}

std::string to_json_line(const JournalEntry& entry) {
  const JournalCursor& cursor = entry.cursor;
  std::string line = "{\"__CURSOR\":\"" + to_string(cursor) + "\",\"__REALTIME_TIMESTAMP\":\"" +
                     std::to_string(cursor.realtime_us) + "\",\"__MONOTONIC_TIMESTAMP\":\"" +
                     std::to_string(cursor.monotonic_us) + "\",\"_BOOT_ID\":\"" + cursor.boot_id +
                     "\"";
  add_field(entry, "MESSAGE", line);
  std::vector<std::string_view> done{"MESSAGE"};
  for (const JournalField& field : entry.fields) {
    if (!is_rendered(field.name) || std::find(done.begin(), done.end(), field.name) != done.end()) {
      continue;
    }
    if (done.size() == kJournalFieldsMax) break;
    done.emplace_back(field.name);
    add_field(entry, field.name, line);
  }
  line += "}\n";
  return line;
}

}  // namespace meldevakt::agent
