// Until when the portal still has a message: dated policy per channel (DOMAIN.md 1.1 "Retention").
//
// 14 days from the confirmed receipt; 30 days when sent after 2023-06-02 14:30 Oslo time (12:30
// UTC), for manual reception from 2023-06-30 on; SvarUt: no purge. Whether the portal counts days
// of 24 hours or by the clocks in Norway nobody says: the earlier of both is the deadline. The
// table is data: a later change of the portal's rule is one row.
//
// Pure. Thread-safety: pure functions. Source: ksdif.no as given in DOMAIN.md; 003:107, 121, 171,
// 477, 599, 744, 1253.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "common/receipts/receipts.h"

namespace meldevakt::collector {

struct RetentionRule {
  std::string channel;           // "" = every channel without a rule of its own
  Instant sent_from;             // applies to messages sent at or after this
  std::optional<Duration> keep;  // from the confirmed receipt; nullopt: never purged
};
[[nodiscard]] std::vector<RetentionRule> default_retention();

// nullopt: no purge, or no receipt to count from. `sent` falls back to the receipt's time. Of the
// rules of one channel the one with the latest `sent_from` that is not after `sent` is in force.
[[nodiscard]] std::optional<Instant> purge_deadline(const std::vector<RetentionRule>& rules,
                                                    std::string_view channel,
                                                    std::optional<Instant> sent,
                                                    std::optional<Instant> receipted);

// Bufdir report table (003:420): A purged, B still in the portal, C held by SvarUt.
enum class Category : std::uint8_t { kNone, kA, kB, kC };
[[nodiscard]] std::string_view to_string(Category category);

}  // namespace meldevakt::collector
