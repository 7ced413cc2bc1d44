#include "tests/sim/called_for.h"

#include <algorithm>
#include <limits>
#include <map>

#include "tests/sim/oracle.h"

namespace meldevakt::sim {

using collector::Verdict;

bool calls_for_action(Verdict verdict) {
  return badness(verdict) > badness(Verdict::kRecovered);
}

bool belongs_to_one(Verdict verdict) {
  return badness(verdict) > 0;
}

int badness(Verdict verdict) {
  switch (verdict) {  // the others do not happen here
    case Verdict::kLost: return 5;
    case Verdict::kMissing: return 4;
    case Verdict::kUnverifiable: return 3;
    case Verdict::kRecovered: return 2;
    case Verdict::kStoredAfterReceipt: return 1;
    default: return 0;
  }
}

std::vector<Called> called_for(const ServicePlan& service, const ServiceResult& result,
                               const collector::Correlation& said, const TimeZone& zone) {
  std::map<std::string_view, const collector::MessageVerdict*> by_name;
  for (const collector::MessageVerdict& one : said.messages) by_name[one.message] = &one;
  std::vector<Called> out;
  for (const TrueMessage& message : result.truth) {
    const auto at = by_name.find(message.id);
    if (at == by_name.end()) continue;
    Called called;
    called.message = &message;
    called.said = at->second;
    called.certain = sight_at(service, message.sent) == Sight::kSeen;
    called.verdict = called.certain ? true_verdict(message) : called.said->verdict;
    called.cause = called.certain ? true_cause(message) : std::string_view{called.said->cause};
    called.time = message.failure.empty() ? message.receipted : *message.overload;
    called.purged = purged_at(message, zone);
    called.category = category_of(message, called.verdict, called.purged, result.last.now);
    out.push_back(called);
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Called& a, const Called& b) { return a.time < b.time; });
  return out;
}

std::vector<TrueSign> signs_of(const ServicePlan& service, const std::vector<Called>& called) {
  constexpr Instant kNever{std::numeric_limits<std::int64_t>::max()};
  std::map<std::string_view, TrueSign> signs;
  for (const Called& one : called) {
    if (!belongs_to_one(one.verdict) || one.verdict == Verdict::kUnverifiable) continue;
    const auto [at, added] = signs.try_emplace(one.cause);
    TrueSign& sign = at->second;
    if (added) sign = {std::string{one.cause}, one.time, one.time, kNever, 0, one.verdict};
    sign.last = one.time;  // they are sorted
    ++sign.messages;
    if (badness(sign.worst) < badness(one.verdict)) sign.worst = one.verdict;
    if (!one.certain) continue;
    sign.said_by = std::min(sign.said_by, to_be_said_by(service, one.message->sent));
  }
  std::vector<TrueSign> out;
  for (auto& [cause, sign] : signs) out.push_back(std::move(sign));
  return out;
}

}  // namespace meldevakt::sim
