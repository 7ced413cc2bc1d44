#include "tests/sim/oracle.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace meldevakt::sim {
namespace {

using collector::Verdict;

constexpr Instant kForever{std::numeric_limits<std::int64_t>::max()};
// From when a message is sent until the last line that tells of it, and that line is read.
constexpr Duration kTold = seconds(10);
// What nobody ever hears of waits for its grace time first, and then for those who might tell.
constexpr Duration kWaitsLonger = minutes(1);

constexpr Instant kLongerKept = Instant{1'685'709'000'000};  // 2023-06-02 14:30 in Norway

bool says_stored(Verdict verdict) {
  return verdict == Verdict::kStored || verdict == Verdict::kStoredAfterReceipt;
}

// A log that was deleted unread; and all from when an agent falls silent. An outage that it falls
// silent in is never made good: then all from the beginning of that.
std::vector<Interval> blind_spans(const ServicePlan& service) {
  std::vector<Interval> out;
  std::optional<Instant> silent = service.silent_from;
  for (const Outage& outage : service.outages) {
    if (outage.kind == Outage::Kind::kLogDestroyed) out.push_back(outage.span);
    if (silent && outage.span.contains(*silent)) silent = outage.span.from;
  }
  if (silent) out.push_back({*silent, kForever});
  return out;
}

Instant days_kept(const TrueMessage& message, Instant from, const TimeZone& zone) {
  const Instant confirmed{from.ms / 1000 * 1000};  // the portal tells whole seconds
  const int kept = message.sent < kLongerKept ? 14 : 30;
  return std::min(confirmed + days(kept), days_later(confirmed, kept, zone));
}

}  // namespace

Sight sight_at(const ServicePlan& service, Instant time) {
  Sight out = Sight::kSeen;
  for (const Interval& blind : blind_spans(service)) {
    if (Interval{blind.from, blind.to - kTold}.contains(time)) return Sight::kBlind;
    if (Interval{blind.from - kFoundWithin, blind.to}.contains(time)) out = Sight::kUnsure;
  }
  return out;
}

Instant to_be_said_by(const ServicePlan& service, Instant time) {
  Instant heard = time;
  for (const Outage& outage : service.outages) {
    const Interval unheard{outage.span.from - kFoundWithin, outage.span.to};
    if (unheard.contains(heard)) heard = outage.span.to;
  }
  return heard + kFoundWithin;
}

Instant purged_at(const TrueMessage& message, const TimeZone& zone) {
  return days_kept(message, message.confirmed, zone);
}

Instant kept_until(const TrueMessage& message, const TimeZone& zone) {
  return days_kept(message, message.again ? message.again->confirmed : message.confirmed, zone);
}

Instant days_later(Instant from, int count, const TimeZone& zone) {
  return zone.to_utc(to_local(from + days(count), zone.utc_offset(from))).first;
}

collector::Category category_of(const TrueMessage& message, Verdict verdict, Instant purged,
                                Instant now) {
  if (verdict == Verdict::kRecovered) {
    return purged <= message.again->received ? collector::Category::kA : collector::Category::kB;
  }
  const bool is_lost = verdict == Verdict::kLost || verdict == Verdict::kMissing;
  if (!is_lost) return collector::Category::kNone;
  return purged <= now ? collector::Category::kA : collector::Category::kB;
}

Verdict true_verdict(const TrueMessage& message) {
  return message.again ? Verdict::kRecovered : first_verdict(message);
}

Verdict first_verdict(const TrueMessage& message) {
  switch (message.fate) {
    case Fate::kLost: return Verdict::kLost;
    case Fate::kLostSilently: return Verdict::kMissing;
    case Fate::kStored:
    case Fate::kStoredByRetry: break;
  }
  return message.receipted < *message.committed ? Verdict::kStoredAfterReceipt : Verdict::kStored;
}

std::string_view true_cause(const TrueMessage& message) {
  switch (first_verdict(message)) {
    case Verdict::kLost: return message.failure;
    case Verdict::kMissing: return "nothing_logged";
    case Verdict::kStoredAfterReceipt: return "receipt_before_commit";
    default: return "";
  }
}

bool may_be_last(Sight sight, const TrueMessage& message, Verdict said) {
  switch (sight) {
    case Sight::kSeen: return said == true_verdict(message);
    case Sight::kBlind: return said == Verdict::kUnverifiable;
    case Sight::kUnsure: break;
  }
  // Half of its lines may show that it is stored, and not when.
  return said == true_verdict(message) || said == Verdict::kUnverifiable ||
         (says_stored(said) && !is_loss(message.fate));
}

bool may_be_said(const ServicePlan& service, const TrueMessage& message, Verdict said, Instant at) {
  const Sight sight = sight_at(service, message.sent);
  if (message.again) {  // where everything is seen
    if (said == Verdict::kRecovered) return message.again->received <= at;
    if (said == first_verdict(message)) {
      return at <= to_be_said_by(service, message.again->received);
    }
  } else if (may_be_last(sight, message, said)) {
    return true;
  }
  const Instant by = to_be_said_by(service, message.sent);
  const bool late = message.sent + kFoundWithin < by;
  switch (said) {
    case Verdict::kPending: return at <= (sight == Sight::kSeen ? by : by + kWaitsLonger);
    // A failed save may be heard of before what followed it; of another message all comes at once,
    // unless an outage lets the portal's row come first.
    case Verdict::kUnverifiable: return at <= by && (late || message.overload);
    default: return false;
  }
}

}  // namespace meldevakt::sim
