#include "collector/report/fleet.h"

#include <algorithm>
#include <map>
#include <optional>

#include "collector/correlate/coverage_map.h"
#include "collector/correlate/portal_map.h"

namespace meldevakt::collector {
namespace {

// What was recovered has its category still; what never had one was not seen to be lost: nobody
// could tell, and then somebody found it.
bool is_loss(const MessageVerdict& message) {
  if (message.verdict == Verdict::kRecovered) return message.category != Category::kNone;
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
    case Verdict::kMissing: return Balance::kLost;
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
  return std::nullopt;
}

std::string hole_in(const std::vector<LedgerCoverage>& claims, const Interval& asked) {
  if (claims.empty()) return "no agent has told of anything it read";
  return hole_in(CoverageMap{claims}, asked);
}

std::string hole_in(const CoverageMap& map, const Interval& asked) {
  if (asked.empty()) return "there was no time to ask about";
  const Signal decisive = map.observed(Signal::kMessageCommitted) ? Signal::kMessageCommitted
                                                                  : Signal::kMessageSaveFailed;
  if (!map.observed(decisive)) return "no source that is read logs commits or failed saves";
  const auto hole = map.first_hole(decisive, {asked, std::nullopt});
  if (!hole) return "";
  if (hole->not_yet_read) {
    return "nothing has been read of '" + hole->source + "' since " +
           to_rfc3339(hole->stretch.from);
  }
  return "'" + hole->source + "' was not read from " + to_rfc3339(hole->stretch.from) + " to " +
         to_rfc3339(hole->stretch.to);
}

std::string why_not_known(const TenantInput& input, const Correlation& correlation,
                          const Interval& asked) {
  std::string hole = hole_in(input.coverage, asked);
  if (!hole.empty() || CoverageMap{input.coverage}.observed(Signal::kMessageCommitted)) return hole;
  const bool any = std::any_of(correlation.messages.begin(), correlation.messages.end(),
                               [&](const MessageVerdict& message) {
                                 const auto time = message_time(message);
                                 return time && asked.contains(*time);
                               });
  const PortalMap portals{input.receipt_coverage};
  if (any || portals.complete(nullptr, asked.from, asked.to - milliseconds(1))) return "";
  return "commits are not logged, no message is known, and no portal's rows are complete";
}

TenantAnswer answer_of(const TenantInput& input, const Correlation& correlation,
                       const Interval& asked) {
  TenantAnswer out;
  for (const MessageVerdict& message : correlation.messages) {
    const auto time = message_time(message);
    if (time && asked.contains(*time)) count(message, out);
  }
  const std::string hole = why_not_known(input, correlation, asked);
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
    ++out.uses;
    switch (answer) {
      case Answer::kAffected: ++out.affected; break;
      case Answer::kClean: ++out.clean; break;
      case Answer::kUnanswered: ++out.unanswered; break;
    }
  }
  return out;
}

}  // namespace meldevakt::collector
