// What people tell and decide, as the tenant's ledger of entries keeps it: numbered, never edited.
//
//   std::string json = encode_entry(entry);              // one object, members in fixed order
//   Result<LedgerEntry> entry = decode_entry(json);      // strict
//   EntriesOfPeople all = split_entries(entries);        // for apply_testimony, apply_decisions
//
// Members of every entry: "version" (1), "number", "told" (UTC ms), "person", "note", "kind"; then
//   recovered     "message", "when", "how"         mistaken    "message"
//   stored_count  "from", "until", "form" ("" = all), "count"
//   merge split reopen  "messages"                 aware       "messages", "aware"
//   notified      "messages", "notified", "reference" ("": none)
//   close         "messages", "verdicts": what each of them was (left out by earlier builds)
//   taken_back    "entry": of whichever list the entry with that number belongs to
//
// Thread-safety: pure functions. Errors: kCorrupt with the member's path (never what it says);
// whatever check_testimony() and check_decision() refuse.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "collector/correlate/testimony.h"
#include "collector/incidents/decisions.h"
#include "common/base/result.h"

namespace meldevakt::collector {

using LedgerEntry = std::variant<Testimony, IncidentDecision>;

[[nodiscard]] std::uint64_t number_of(const LedgerEntry& entry);
void set_number(LedgerEntry& entry, std::uint64_t number);
void set_told(LedgerEntry& entry, Instant told);
[[nodiscard]] std::string_view person_of(const LedgerEntry& entry);
[[nodiscard]] Status check_entry_of_people(const LedgerEntry& entry);

[[nodiscard]] std::string encode_entry(const LedgerEntry& entry);
[[nodiscard]] Result<LedgerEntry> decode_entry(std::string_view json);

struct EntriesOfPeople {
  std::vector<Testimony> testimony;
  std::vector<IncidentDecision> decisions;
};
// The number of the entry that this one takes back, if it does.
[[nodiscard]] std::optional<std::uint64_t> takes_back(const LedgerEntry& entry);
// Numbers of entries that other entries take back, and that are not given back by taking those
// back.
[[nodiscard]] std::set<std::uint64_t> taken_back(const std::vector<LedgerEntry>& entries);

// What takes an entry back is put into both lists: numbers are unique over both.
[[nodiscard]] EntriesOfPeople split_entries(const std::vector<LedgerEntry>& entries);

// What is told of a message that nothing is known of under that name any more, or whose name
// several messages came to share: it counts for none of them, and a person has to say whose it is.
struct TellsOfNobody {
  std::uint64_t number = 0;  // of the entry
  std::string name;
  auto operator<=>(const TellsOfNobody&) const = default;
};
// Of the entries that count, sorted by number. REQUIRES: entries of one tenant.
[[nodiscard]] std::vector<TellsOfNobody> tells_of_nobody(const Correlation& all,
                                                         const std::vector<LedgerEntry>& entries);

}  // namespace meldevakt::collector
