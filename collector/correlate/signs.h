// Everything that is seen of one message, boiled down to what verdicts ask for. Only minima, maxima
// and "is there any": so neither order nor repetition of the input can matter.
//
// Pure. The pointers lead into Lives, which must outlive the signs.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "collector/correlate/coverage_map.h"
#include "collector/correlate/lives.h"

namespace meldevakt::collector {

struct Signs {
  const Receipt* row = nullptr;            // the portal's newest word (counting_rows.h)
  FormType row_form = FormType::kUnknown;  // what the newest of those that say it says
  std::string_view row_channel;
  std::string_view row_district;
  std::optional<Instant> sent;            // earliest the portal says
  std::vector<std::string_view> portals;  // that have a row of it
  // Receipts. A row that says "print" confirms that a letter was posted, not that the case system
  // has the message.
  std::optional<Instant> receipted;  // the earliest of both kinds
  std::optional<Instant> kept_from;  // the portal counts its days from here: its latest, else ours
  bool printed = false;              // a row says that the portal prints and posts it
  std::optional<Instant> posted;     // the earliest that a row says a letter of it was posted

  // Its own steps.
  std::optional<Instant> first_seen;    // the earliest of any kind
  std::optional<Instant> received;      // the earliest that message.received can have been
  const Step* commit = nullptr;         // the earliest
  const Step* rejected = nullptr;       // the earliest
  const Step* first_failure = nullptr;  // of message.save_failed
  const Step* last_failure = nullptr;
  std::optional<Instant> last_retry;
  // A time in doubt counts as the reading that needs more to have been read.
  std::optional<Instant> receipted_from;   // the earliest and
  std::optional<Instant> receipted_until;  // the latest that `receipted` can have been
  // The latest that it can have been, where lists tell it in several zones (settled_rows.h).
  std::optional<Instant> receipted_in_zones;
  std::optional<Instant> failed_from;  // the earliest that a failure can have been
  std::optional<Instant> tried_until;  // the latest that a failure or a retry can have been
  const Step* last_unknown = nullptr;  // the latest failure whose outcome nobody knows
  bool receipt_came_first = false;     // before the commit, by more than the clocks could err
  bool in_zones = false;               // lists tell one sending in several zones
  // By how much, where only clocks that may err against each other say so.
  std::optional<Duration> first_across_clocks;
  TellingClocks clocks;  // that told its times
  // No row is there, and every step of it stands in a log that other tenants are told of too: by
  // how much its times may err.
  std::optional<Duration> shared_only;
  std::optional<FormType> form;
  std::string district;  // as a log has it

  // What may be its or another's: the earliest of each.
  const Step* unclear_commit = nullptr;
  const Step* unclear_failure = nullptr;
  const Step* unclear_receipt = nullptr;  // only where it is named as a candidate
};

[[nodiscard]] Signs gather_signs(const Lives& lives, const Life& life, const CoverageMap& coverage,
                                 const Policy& policy);

// By which it came: as its rows say; else a name that only SvarUt gives.
[[nodiscard]] std::string_view channel_of(const Life& life, const Signs& signs);

// From when the portal was to print and post it: its refusal, else when it was sent or first seen.
[[nodiscard]] std::optional<Instant> to_be_posted_from(const Signs& signs);

}  // namespace meldevakt::collector
