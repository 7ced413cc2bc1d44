#include "collector/report/fleet.h"

#include <algorithm>
#include <map>
#include <optional>

#include "collector/correlate/coverage_map.h"
#include "collector/correlate/portal_map.h"
#include "collector/correlate/words.h"
#include "collector/report/times_ahead.h"

namespace meldevakt::collector {
namespace {

// What was recovered has its category still; what never had one was not seen to be lost: nobody
// could tell, and then somebody found it.
bool is_loss(const MessageVerdict& message) {
  if (message.verdict == Verdict::kRecovered) return message.category != Category::kNone;
  if (message.cause == kCauseWhoseUnknown) return false;
  return message.verdict == Verdict::kLost || message.verdict == Verdict::kMissing;
}

void count(const MessageVerdict& message, TenantAnswer& out) {
  if (is_loss(message)) {
    ++out.lost;
  } else if (balance_of(message) == Balance::kUndecided) {
    ++out.undecided;
  } else if (message.verdict == Verdict::kStoredAfterReceipt) {
    ++out.latent;
  }
}

std::string messages(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " message" : " messages");
}

}  // namespace

std::string_view to_string(Answer answer) {
  switch (answer) {
    case Answer::kNotUsing: return "not_using";
    case Answer::kClean: return "clean";
    case Answer::kUnanswered: return "unanswered";
    case Answer::kAffected: return "affected";
  }
  return "unknown";
}

Balance balance_of(const MessageVerdict& message) {
  switch (message.verdict) {
    case Verdict::kStored:
    case Verdict::kStoredAfterReceipt: return Balance::kStored;
    case Verdict::kLost:
    case Verdict::kMissing:
      // Every tenant that is told of it has it: it would be counted for each.
      return message.cause == kCauseWhoseUnknown ? Balance::kUndecided : Balance::kLost;
    case Verdict::kRecovered: return Balance::kRecovered;
    case Verdict::kFallback: return Balance::kFallback;
    case Verdict::kUnreceipted: return Balance::kUnreceipted;
    case Verdict::kNoFailureSeen: return message.counted ? Balance::kStored : Balance::kUndecided;
    default: return Balance::kUndecided;
  }
}

std::optional<Instant> message_time(const MessageVerdict& message) {
  for (const auto& time : {message.receipted, message.sent, message.failed, message.committed}) {
    if (time) return time;
  }
  return message.first_seen;
}

bool is_asked(const MessageVerdict& message, const Interval& asked, Instant now) {
  const std::optional<Instant> time = message_time(message);
  if (!time || *time <= now + kAheadMax) return time && asked.contains(*time);
  bool any = false;
  for (const auto& other : {message.sent, message.failed, message.committed, message.first_seen}) {
    if (!other || now + kAheadMax < *other) continue;
    if (asked.contains(*other)) return true;
    any = true;
  }
  return !any;
}

std::string hole_in(const TenantInput& input, const Interval& asked) {
  if (input.coverage.empty()) return "no agent has told of anything it read";
  return hole_in(coverage_of(input), asked);
}

namespace {

std::string words_of(const Hole& hole) {
  if (hole.never_read) return "nothing of '" + hole.source + "' was ever read to its end";
  if (hole.not_yet_read) {
    return "nothing has been read of '" + hole.source + "' since " + to_rfc3339(hole.read_until);
  }
  return "'" + hole.source + "' was not read from " + to_rfc3339(hole.stretch.from) + " to " +
         to_rfc3339(hole.stretch.to);
}

// Sources that log another channel's messages under names of their own say nothing of the portal's;
// where no source names the portal's, all are asked.
ReferenceTypes asked_names(const CoverageMap& map) {
  ReferenceTypes portal;
  portal.add(ReferenceType::kPortalMessageId);
  const bool any = map.observed(Signal::kMessageCommitted, portal) ||
                   map.observed(Signal::kMessageSaveFailed, portal);
  return any ? portal : ReferenceTypes{};
}

// "" where receipts of the whole time are known.
std::string receipts_not_known(const TenantInput& input, const CoverageMap& map,
                               const Interval& asked, bool commits_are_logged) {
  const PortalMap portals{input};
  if (portals.all_complete(asked.from, asked.to - milliseconds(1))) return "";
  const std::optional<std::string> untold = portals.untold(asked);
  const std::string no_list =
      untold ? "nothing was ever imported of '" + *untold + "', which the register says was used"
             : "no list of the portal's is complete";
  const ReferenceTypes names = asked_names(map);
  if (!commits_are_logged || !map.observed(Signal::kMessageAcknowledged, names)) {
    return no_list + " for that time, and no log that is read tells of " +
           std::string{commits_are_logged ? "receipts" : "commits"};
  }
  const auto hole = map.first_hole(Signal::kMessageAcknowledged, {asked, {}, names});
  return hole ? "receipts are not known: " + no_list + ", and " + words_of(*hole) : "";
}

}  // namespace

std::string hole_in(const CoverageMap& map, const Interval& asked) {
  if (asked.empty()) return "there was no time to ask about";
  const ReferenceTypes names = asked_names(map);
  const Signal decisive = map.observed(Signal::kMessageCommitted, names)
                              ? Signal::kMessageCommitted
                              : Signal::kMessageSaveFailed;
  if (!map.observed(decisive, names)) return "no source that is read logs commits or failed saves";
  const auto hole = map.first_hole(decisive, {asked, {}, names});
  return hole ? words_of(*hole) : "";
}

std::string why_not_known(const TenantInput& input, const Interval& asked) {
  if (input.coverage.empty()) return "no agent has told of anything it read";
  const CoverageMap map = coverage_of(input);
  std::string hole = hole_in(map, asked);
  if (!hole.empty()) return hole;
  return receipts_not_known(input, map, asked,
                            map.observed(Signal::kMessageCommitted, asked_names(map)));
}

Instant receipts_known_until(const TenantInput& input, Instant until) {
  const CoverageMap map{input.coverage};
  const ReferenceTypes names = asked_names(map);
  const bool logged = map.observed(Signal::kMessageCommitted, names) &&
                      map.observed(Signal::kMessageAcknowledged, names);
  const std::optional<Instant> newest = PortalMap{input}.reach_of_all(until);
  if (logged || !newest || *newest < until - kListOverdue) return until;
  return std::min(until, *newest);
}

std::uint64_t losses_in(const Correlation& correlation, const Interval& asked) {
  return static_cast<std::uint64_t>(std::count_if(
      correlation.messages.begin(), correlation.messages.end(), [&](const MessageVerdict& message) {
        return is_asked(message, asked, correlation.now) && is_loss(message);
      }));
}

std::optional<Instant> first_loss(const Correlation& correlation) {
  std::optional<Instant> out;
  for (const MessageVerdict& message : correlation.messages) {
    const auto time = is_loss(message) ? message_time(message) : std::nullopt;
    if (time) out = std::min(out.value_or(*time), *time);
  }
  return out;
}

TenantAnswer answer_of(const TenantInput& input, const Correlation& correlation,
                       const Interval& asked) {
  TenantAnswer out;
  for (const MessageVerdict& message : correlation.messages) {
    if (is_asked(message, asked, correlation.now)) count(message, out);
  }
  const std::string hole = why_not_known(input, asked);
  if (out.lost > 0) {
    out.answer = Answer::kAffected;
    out.reason = messages(out.lost) + " receipted and not stored";
    if (!hole.empty()) out.reason += "; there may be more: " + hole;
  } else if (!hole.empty() || out.undecided > 0) {
    out.answer = Answer::kUnanswered;
    if (out.undecided > 0) out.reason = messages(out.undecided) + " undecided";
    if (!hole.empty()) out.reason += (out.reason.empty() ? "" : "; ") + hole;
  } else {
    out.answer = Answer::kClean;
  }
  return out;
}

FleetTotals total(const std::vector<FleetMember>& members) {
  std::map<std::string, Answer> states;
  FleetTotals out;
  for (const FleetMember& member : members) {
    for (const std::string& municipality : member.municipalities) {
      const auto [at, is_new] = states.try_emplace(municipality, member.answer.answer);
      if (!is_new) at->second = std::max(at->second, member.answer.answer);
    }
    out.lost += member.answer.lost;
  }
  for (const auto& [municipality, answer] : states) {
    out.uses += answer == Answer::kNotUsing ? 0U : 1U;
    switch (answer) {
      case Answer::kNotUsing: break;
      case Answer::kAffected: ++out.affected; break;
      case Answer::kClean: ++out.clean; break;
      case Answer::kUnanswered: ++out.unanswered; break;
    }
  }
  return out;
}

}  // namespace meldevakt::collector
