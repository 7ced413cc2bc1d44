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

// Whether what would have told of it was still to be read when the last word was spoken.
bool could_not_be_known(const ServicePlan& service, const TrueMessage& message) {
  if (service.silent_from && *service.silent_from < message.sent + minutes(2)) return true;
  return std::any_of(service.outages.begin(), service.outages.end(), [&](const Outage& outage) {
    const Interval blind{outage.span.from - minutes(2), outage.span.to};
    return outage.kind == Outage::Kind::kLogDestroyed && blind.contains(message.sent);
  });
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

}  // namespace

Comparison compare(const ServicePlan& service, const ServiceResult& result) {
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
        could_not_be_known(service, message) ? Verdict::kUnverifiable : expected(message);
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
    out.losses.push_back({service.name, message.sent,
                          at == found.end() ? std::nullopt : std::optional{at->second},
                          purged.value_or(message.sent)});
  }
  return out;
}

}  // namespace meldevakt::sim
