// A journal's cursor and entry as others wrote them: a cursor that is read is written back and read
// as the same, and a line is one line within its bound, and UTF-8.
#include <string>

#include "agent/source/journal_entry.h"
#include "common/base/check.h"
#include "common/base/text.h"
#include "tests/fuzz/input.h"

int fuzz_journal(const std::uint8_t* data, std::size_t size) {
  using meldevakt::agent::JournalEntry;
  using meldevakt::agent::kJournalLineBytesMax;
  using meldevakt::agent::parse_journal_cursor;
  using meldevakt::agent::parse_journal_filter;
  using meldevakt::agent::same_entry;
  using meldevakt::agent::to_json_line;
  std::string_view input = meldevakt::fuzz::text_of(data, size);
  JournalEntry entry;
  // The first line is a cursor, each other part up to a NUL a field.
  const std::string_view first = input.substr(0, input.find('\n'));
  if (const auto cursor = parse_journal_cursor(first)) {
    entry.cursor = cursor.value();
    const auto again = parse_journal_cursor(meldevakt::agent::to_string(entry.cursor));
    MELDEVAKT_CHECK(again && again.value() == entry.cursor);
    MELDEVAKT_CHECK(same_entry(again.value(), entry.cursor));
  }
  input.remove_prefix(first.size() == input.size() ? first.size() : first.size() + 1);
  while (!input.empty()) {
    const std::string_view field = input.substr(0, input.find('\0'));
    const std::size_t equals = field.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view{} : field.substr(equals + 1);
    entry.fields.push_back({std::string{field.substr(0, equals)}, std::string{value}});
    input.remove_prefix(field.size() == input.size() ? field.size() : field.size() + 1);
  }
  const std::string line = to_json_line(entry);
  MELDEVAKT_CHECK(line.size() <= kJournalLineBytesMax);
  MELDEVAKT_CHECK(line.find('\n') == line.size() - 1);
  MELDEVAKT_CHECK(meldevakt::is_utf8(line));
  if (const auto filter = parse_journal_filter({std::string{first}, "kernel"}, {})) {
    static_cast<void>(filter.value().takes(entry));
  }
  return 0;
}
