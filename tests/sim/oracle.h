// What must be said of a message in the end, and what may be said on the way: by plan and truth
// alone. Every rule and figure is written anew here, from DOMAIN.md: taken from the product, it
// would change with a fault of the product, and nobody would notice.
//
// Pure. Thread-safety: pure functions.
#pragma once

#include <optional>
#include <string_view>

#include "collector/correlate/correlate.h"
#include "common/ports/time_zone.h"
#include "tests/sim/history.h"
#include "tests/sim/plan.h"

namespace meldevakt::sim {

// From when something can be read until it must have been said.
inline constexpr Duration kFoundWithin = minutes(2);

// Whether what tells of that time is read in the end.
enum class Sight : std::uint8_t {
  kSeen,    // all of it, perhaps late
  kUnsure,  // it may have been cut in the midst
  kBlind,   // none of it, ever
};
[[nodiscard]] Sight sight_at(const ServicePlan& service, Instant time);

// Until when what happened at `time` must have been said: kFoundWithin later, or after what kept it
// from the collector was over.
[[nodiscard]] Instant to_be_said_by(const ServicePlan& service, Instant time);

// Until then the portal has it: 14 days from the receipt that it knows, 30 days of what was sent
// after 2 June 2023 14:30. Whether days are 24 hours or Norway's clocks count nobody says: the
// earlier of both. `zone`: Norway's.
[[nodiscard]] Instant purged_at(const TrueMessage& message, const TimeZone& zone);

// The same time of day so many days later, by Norway's clocks: a deadline that the law counts in
// days. REQUIRES: not in the hour that spring skips; nobody sends at night here.
[[nodiscard]] Instant days_later(Instant from, int count, const TimeZone& zone);
// Where a message of that verdict is, by the Bufdir report's table; what was sent again: where it
// was then.
[[nodiscard]] collector::Category category_of(const TrueMessage& message,
                                              collector::Verdict verdict, Instant purged,
                                              Instant now);

// The same of what was sent again: from the receipt that the portal had last.
[[nodiscard]] Instant kept_until(const TrueMessage& message, const TimeZone& zone);

// Once all is read; and until it is sent again.
[[nodiscard]] collector::Verdict true_verdict(const TrueMessage& message);
[[nodiscard]] collector::Verdict first_verdict(const TrueMessage& message);
// The code that the true verdict must give as its cause.
[[nodiscard]] std::string_view true_cause(const TrueMessage& message);

[[nodiscard]] bool may_be_last(Sight sight, const TrueMessage& message, collector::Verdict said);
[[nodiscard]] bool may_be_said(const ServicePlan& service, const TrueMessage& message,
                               collector::Verdict said, Instant at);

}  // namespace meldevakt::sim
