// An entry of the systemd journal as values: its cursor, its fields, which entries a source means,
// and the line of JSON that `journalctl -o json` would write for it, so that one pack reads the
// journal itself and exported copies of it alike (agent/rules/linux-journal-json.rules.toml).
//
//   MELDEVAKT_TRY_ASSIGN(const JournalFilter filter, parse_journal_filter({"kernel", "mssql"},
//   {})); if (filter.takes(entry)) line = to_json_line(entry);      // with its "\n"
//
// A cursor is `s=ID;i=N;b=ID;m=N;t=N;x=N`: sequence and number in it, boot, microseconds since that
// boot, microseconds since 1970, hash of the content; numbers in hexadecimal (systemd's Journal
// Export Format, "Serialization into the Journal Export Format"). Numbers of one sequence have no
// hole, so a hole is entries that are gone.
//
// The line: "__CURSOR", "__REALTIME_TIMESTAMP", "__MONOTONIC_TIMESTAMP" and "_BOOT_ID", then
// MESSAGE, then what the program gave and the fields that journald itself adds and packs use. Text
// with control characters or invalid UTF-8 is a list of bytes, a repeated field a list of its
// values.
//
// Pure. Thread-safety: plain values and pure functions. Errors: kInvalid for a filter, kCorrupt for
// a cursor. Bounds: kJournalFieldBytesMax a value (the rest is cut), kJournalFieldsMax fields,
// kJournalLineBytesMax a line (fields that do not fit are left out).
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace meldevakt::agent {

inline constexpr std::size_t kJournalFieldBytesMax = 32 * 1024;
inline constexpr std::size_t kJournalFieldsMax = 128;
// Below the 256 KiB that a pack gives a record unless it says otherwise.
inline constexpr std::size_t kJournalLineBytesMax = 240 * 1024;
inline constexpr std::size_t kJournalPatternsMax = 64;

struct JournalCursor {
  std::string sequence_id;  // 32 hexadecimal digits
  std::uint64_t sequence = 0;
  std::string boot_id;
  std::uint64_t monotonic_us = 0;
  std::uint64_t realtime_us = 0;
  std::uint64_t content = 0;
  auto operator<=>(const JournalCursor&) const = default;
};

[[nodiscard]] Result<JournalCursor> parse_journal_cursor(std::string_view text);
[[nodiscard]] std::string to_string(const JournalCursor& cursor);
// The same entry, also where journald has copied it into another file under another number.
[[nodiscard]] bool same_entry(const JournalCursor& a, const JournalCursor& b);

struct JournalField {
  std::string name;
  std::string value;  // bytes
};

struct JournalEntry {
  JournalCursor cursor;
  std::vector<JournalField> fields;
  [[nodiscard]] std::string_view first(std::string_view name) const;  // "" when there is none
};

// Whether a field is worth reading: it is rendered, or a filter asks for it.
[[nodiscard]] bool is_used_journal_field(std::string_view name);

struct JournalFilter {
  bool everything = false;
  bool kernel = false;
  std::vector<std::string> units;        // with '*', '?' and '[...]'
  std::vector<std::string> identifiers;  // SYSLOG_IDENTIFIER, likewise

  // What a unit wrote, and what systemd and the crash handler say of it.
  [[nodiscard]] bool takes(const JournalEntry& entry) const;
};
// `units`: "*" is everything, "kernel" the kernel, "name" is name.service.
[[nodiscard]] Result<JournalFilter> parse_journal_filter(
    const std::vector<std::string>& units, const std::vector<std::string>& identifiers);

[[nodiscard]] std::string to_json_line(const JournalEntry& entry);

}  // namespace meldevakt::agent
