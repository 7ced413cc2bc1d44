#include "tests/sim/comparison.h"

#include <algorithm>
#include <map>
#include <set>

#include "collector/deadlines/deadlines.h"

namespace meldevakt::sim {
namespace {

using collector::Category;
using collector::Verdict;

bool says_lost(Verdict verdict) {
  return verdict == Verdict::kLost || verdict == Verdict::kMissing;
}
bool says_stored(Verdict verdict) {
  return verdict == Verdict::kStored || verdict == Verdict::kStoredAfterReceipt;
}

// Whether what would have told of that time was still to be read when the last word was spoken.
bool is_blind_at(const ServicePlan& service, Instant time) {
  if (service.silent_from && *service.silent_from < time + minutes(2)) return true;
  return std::any_of(service.outages.begin(), service.outages.end(), [&](const Outage& outage) {
    const Interval blind{outage.span.from - minutes(2), outage.span.to};
    return outage.kind == Outage::Kind::kLogDestroyed && blind.contains(time);
  });
}

// Until when a loss must have been said: kFoundWithin after it was sent, or after what kept it from
// the collector was over.
constexpr Duration kFoundWithin = minutes(2);

Instant to_be_found_by(const ServicePlan& service, Instant sent) {
  Instant heard = sent;
  for (const Outage& outage : service.outages) {
    const Interval unheard{outage.span.from - kFoundWithin, outage.span.to};
    if (unheard.contains(heard)) heard = outage.span.to;
  }
  return heard + kFoundWithin;
}

Verdict expected(const TrueMessage& message) {
  switch (message.fate) {
    case Fate::kLost: return Verdict::kLost;
    case Fate::kLostSilently: return Verdict::kMissing;
    case Fate::kStored:
    case Fate::kStoredByRetry: break;
  }
  return message.receipted < *message.committed ? Verdict::kStoredAfterReceipt : Verdict::kStored;
}

std::string sentence(const ServicePlan& service, const TrueMessage& message, Verdict said,
                     Verdict wanted, std::string_view when) {
  return service.name + ": message " + message.id + " of " + to_rfc3339(message.sent) + " is " +
         std::string{to_string(wanted)} + " and was said to be " + std::string{to_string(said)} +
         " " + std::string{when};
}

// Where the message is, by the Bufdir report's table; nothing while the purge is only just due, for
// the portal's rows are in whole seconds.
std::optional<Category> expected_category(const TrueMessage& message, Instant now) {
  if (!is_loss(message.fate)) return Category::kNone;
  const auto purged = collector::purge_deadline(collector::default_retention(), "case_system",
                                                message.sent, message.receipted);
  if (!purged) return Category::kB;
  if (*purged - seconds(2) < now && now < *purged + seconds(2)) return std::nullopt;
  return *purged <= now ? Category::kA : Category::kB;
}

// Beside a verdict that is right: where the message is, and the overload in which its save failed.
void compare_circumstances(const ServicePlan& service, const TrueMessage& message,
                           const collector::MessageVerdict& said, Instant now,
                           std::vector<std::string>& wrong) {
  const std::string which =
      service.name + ": message " + message.id + " of " + to_rfc3339(message.sent);
  const auto category = expected_category(message, now);
  if (category && *category != said.category) {
    wrong.push_back(which + " is of category " + std::string{to_string(*category)} +
                    " and was said to be " + std::string{to_string(said.category)});
  }
  if (!message.overload) return;
  const Interval worst{*message.overload - seconds(1), *message.overload + seconds(1)};
  const bool known = std::any_of(
      said.windows.begin(), said.windows.end(), [&](const collector::OverloadWindow& window) {
        return window.span.from < worst.to && worst.from < window.span.to && !window.driver.empty();
      });
  if (!known) wrong.push_back(which + ": the overload that its save failed in is not named");
}

// Overloads so near each other that they may be told as one, or must be.
struct Trouble {
  Interval span;
  std::set<std::string> drivers;
  bool confirmed = false;
  std::size_t count = 0;
};

std::vector<Trouble> troubles_of(const std::vector<TrueOverload>& overloads) {
  constexpr Duration kMayBeOne = collector::kWindowIdle + seconds(30);
  std::vector<Trouble> out;
  for (const TrueOverload& overload : overloads) {
    if (out.empty() || out.back().span.to + kMayBeOne < overload.span.from) {
      out.push_back({overload.span, {}, false, 0});
    }
    Trouble& trouble = out.back();
    trouble.span.to = std::max(trouble.span.to, overload.span.to);
    trouble.drivers.insert(overload.driver);
    trouble.confirmed = trouble.confirmed || overload.confirmed;
    ++trouble.count;
  }
  return out;
}

std::string problem_of(const Trouble& trouble,
                       const std::vector<const collector::Overload*>& said) {
  if (said.empty()) return "is not told";
  if (said.size() > trouble.count) return "is told as " + std::to_string(said.size());
  const auto is_confirmed = [](const collector::Overload* overload) {
    return overload->state == collector::OverloadState::kConfirmed;
  };
  if (std::any_of(said.begin(), said.end(), is_confirmed) != trouble.confirmed) {
    return trouble.confirmed ? "is only suspected, and two logs told of it"
                             : "is confirmed, and one log told of it";
  }
  if (trouble.count ==
      1) {  // as far as the hosts' clocks may be off, and a wait before the first sign
    constexpr Duration kNear = seconds(6);
    const Interval& span = said.front()->span;
    const bool same = span.from - kNear <= trouble.span.from &&
                      trouble.span.from <= span.from + kNear &&
                      span.to - kNear <= trouble.span.to && trouble.span.to <= span.to + kNear;
    if (!same) return "is told as " + to_rfc3339(span.from) + " to " + to_rfc3339(span.to);
  }
  for (const collector::Overload* overload : said) {
    if (!trouble.drivers.contains(overload->driver)) {
      return "has '" + overload->driver + "' for its driver, not '" + *trouble.drivers.begin() +
             "'";
    }
  }
  return "";
}

void compare_overloads(const ServicePlan& service, const std::vector<TrueOverload>& truth,
                       const std::vector<collector::Overload>& told,
                       std::vector<std::string>& wrong) {
  const std::vector<Trouble> troubles = troubles_of(truth);
  std::set<const collector::Overload*> known;
  for (const Trouble& trouble : troubles) {
    std::vector<const collector::Overload*> said;
    for (const collector::Overload& overload : told) {
      const Interval wide{trouble.span.from - seconds(5), trouble.span.to + seconds(5)};
      if (overload.span.to < wide.from || wide.to < overload.span.from) continue;
      said.push_back(&overload);
      known.insert(&overload);
    }
    if (is_blind_at(service, trouble.span.from) || is_blind_at(service, trouble.span.to)) continue;
    if (const std::string problem = problem_of(trouble, said); !problem.empty()) {
      wrong.push_back(service.name + ": the overload of " + to_rfc3339(trouble.span.from) + " " +
                      problem);
    }
  }
  for (const collector::Overload& overload : told) {
    if (known.contains(&overload)) continue;
    wrong.push_back(service.name + ": an overload of " + to_rfc3339(overload.span.from) +
                    " is told, and there was none");
  }
}

}  // namespace

Comparison compare(const ServicePlan& service, const ServiceResult& result,
                   const std::vector<collector::Overload>& overloads) {
  Comparison out;
  std::map<std::string, const TrueMessage*> truth;
  for (const TrueMessage& message : result.truth) truth[message.id] = &message;
  std::map<std::string, const collector::MessageVerdict*> last;
  for (const collector::MessageVerdict& said : result.last.messages) {
    last[said.message] = &said;
    if (!truth.contains(said.message)) {
      out.wrong.push_back(service.name + ": message " + said.message + " does not exist");
    }
  }
  std::map<std::string, Instant> found;
  for (const VerdictChange& change : result.changes) {
    const auto at = truth.find(change.message);
    if (at == truth.end()) continue;
    if (change.at < change.arrived) {
      out.wrong.push_back(service.name + ": message " + change.message + " was judged at " +
                          to_rfc3339(change.at) + " by what arrived at " +
                          to_rfc3339(change.arrived));
    }
    const bool loss = is_loss(at->second->fate);
    if (loss && says_lost(change.verdict)) found.try_emplace(change.message, change.at);
    const bool wrong = loss ? says_stored(change.verdict)
                            : says_lost(change.verdict) || change.verdict == Verdict::kInDoubt;
    if (wrong) {
      out.wrong.push_back(sentence(service, *at->second, change.verdict, expected(*at->second),
                                   "at " + to_rfc3339(change.at)));
    }
  }
  for (const TrueMessage& message : result.truth) {
    const Verdict wanted =
        is_blind_at(service, message.sent) ? Verdict::kUnverifiable : expected(message);
    const auto said = last.find(message.id);
    if (said == last.end()) {
      out.wrong.push_back(service.name + ": nothing is said of message " + message.id);
    } else if (said->second->verdict != wanted) {
      out.wrong.push_back(sentence(service, message, said->second->verdict, wanted, "at the end"));
    } else if (wanted != Verdict::kUnverifiable) {
      compare_circumstances(service, message, *said->second, result.last.now, out.wrong);
    }
    if (!is_loss(message.fate)) continue;
    const auto purged = collector::purge_deadline(collector::default_retention(), "case_system",
                                                  message.sent, message.receipted);
    const auto at = found.find(message.id);
    const Instant by = to_be_found_by(service, message.sent);
    if (at != found.end() && by < at->second && !is_blind_at(service, message.sent)) {
      out.wrong.push_back(service.name + ": the loss of " + to_rfc3339(message.sent) +
                          " was found at " + to_rfc3339(at->second) + ", to be found by " +
                          to_rfc3339(by));
    }
    out.losses.push_back({service.name, message.sent,
                          at == found.end() ? std::nullopt : std::optional{at->second},
                          purged.value_or(message.sent), by});
  }
  compare_overloads(service, result.overloads, overloads, out.wrong);
  return out;
}

}  // namespace meldevakt::sim
