#include "tests/sim/comparison.h"

#include <algorithm>
#include <map>
#include <set>

#include "tests/sim/clock_comparison.h"
#include "tests/sim/incident_comparison.h"
#include "tests/sim/latent_comparison.h"
#include "tests/sim/oracle.h"

namespace meldevakt::sim {
namespace {

using collector::Category;
using collector::Verdict;

std::string named(const ServicePlan& service, const TrueMessage& message) {
  return service.name + ": message " + message.id + " of " + to_rfc3339(message.sent);
}

std::string sentence(const ServicePlan& service, const TrueMessage& message, Verdict said,
                     std::string_view when) {
  const Verdict wanted = sight_at(service, message.sent) == Sight::kBlind ? Verdict::kUnverifiable
                                                                          : true_verdict(message);
  return named(service, message) + " is " + std::string{to_string(wanted)} +
         " and was said to be " + std::string{to_string(said)} + " " + std::string{when};
}

// The overload that its save failed in, by the name of what drove it.
bool names_overload(const ServiceResult& result, const TrueMessage& message,
                    const collector::MessageVerdict& said) {
  std::set<std::string> drivers;
  for (const TrueOverload& overload : result.overloads) {
    const bool here = overload.span.from <= *message.overload &&
                      *message.overload <= overload.span.to + kFoundWithin;
    if (here) drivers.insert(overload.driver);
  }
  const Interval worst{*message.overload - seconds(1), *message.overload + seconds(1)};
  return std::any_of(said.windows.begin(), said.windows.end(),
                     [&](const collector::OverloadWindow& window) {
                       return window.span.from < worst.to && worst.from < window.span.to &&
                              drivers.contains(window.driver);
                     });
}

// Beside a verdict that is right: why, where the message is, and in which overload its save failed.
void compare_circumstances(const ServicePlan& service, const ServiceResult& result,
                           const TrueMessage& message, const collector::MessageVerdict& said,
                           Instant purged, std::vector<std::string>& wrong) {
  const std::string which = named(service, message);
  if (said.cause != true_cause(message)) {
    wrong.push_back(which + " has the cause '" + std::string{true_cause(message)} +
                    "' and was said to have '" + said.cause + "'");
  }
  const Category category = category_of(message, true_verdict(message), purged, result.last.now);
  if (category != said.category) {
    wrong.push_back(which + " is of category " + std::string{to_string(category)} +
                    " and was said to be " + std::string{to_string(said.category)});
  }
  if (message.overload && !names_overload(result, message, said)) {
    wrong.push_back(which + ": the overload that its save failed in is not named");
  }
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
    const bool seen = sight_at(service, trouble.span.from) == Sight::kSeen &&
                      sight_at(service, trouble.span.to) == Sight::kSeen;
    if (!seen) continue;
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

using TrueMessages = std::map<std::string, const TrueMessage*>;

// What was said on the way, and when a message was first said to be what it is, or was.
std::map<std::string, Instant> compare_changes(const ServicePlan& service,
                                               const ServiceResult& result,
                                               const TrueMessages& truth,
                                               std::vector<std::string>& wrong) {
  std::map<std::string, Instant> found;
  for (const VerdictChange& change : result.changes) {
    const std::string when = "at " + to_rfc3339(change.at);
    const auto at = truth.find(change.message);
    // Every line of these logs names its message as the portal does: nothing has another name
    // first.
    if (at == truth.end()) {
      wrong.push_back(service.name + ": message " + change.message +
                      " does not exist and was said to be " +
                      std::string{to_string(change.verdict)} + " " + when);
      continue;
    }
    if (change.at < change.arrived) {
      wrong.push_back(service.name + ": message " + change.message + " was judged " + when +
                      " by what arrived at " + to_rfc3339(change.arrived));
    }
    const TrueMessage& message = *at->second;
    if (!may_be_said(service, message, change.verdict, change.at)) {
      wrong.push_back(sentence(service, message, change.verdict, when));
    }
    if (change.verdict == first_verdict(message)) found.try_emplace(message.id, change.at);
  }
  return found;
}

// The last word on one message.
void compare_last(const ServicePlan& service, const ServiceResult& result,
                  const TrueMessage& message, const collector::MessageVerdict& said,
                  const TimeZone& zone, std::vector<std::string>& wrong) {
  const Instant purged = purged_at(message, zone);
  const Instant kept = kept_until(message, zone);
  if (said.purge_deadline != kept) {
    wrong.push_back(named(service, message) + " is at the portal until " + to_rfc3339(kept) +
                    " and was said to be until " +
                    (said.purge_deadline ? to_rfc3339(*said.purge_deadline) : "ever"));
  }
  const Sight sight = sight_at(service, message.sent);
  if (!may_be_last(sight, message, said.verdict)) {
    wrong.push_back(sentence(service, message, said.verdict, "at the end"));
  } else if (sight == Sight::kSeen) {
    compare_circumstances(service, result, message, said, purged, wrong);
  }
}

}  // namespace

Comparison compare(const ServicePlan& service, const ServiceResult& result,
                   const collector::View& view, const TimeZone& zone) {
  Comparison out;
  TrueMessages truth;
  for (const TrueMessage& message : result.truth) truth[message.id] = &message;
  std::map<std::string, const collector::MessageVerdict*> last;
  for (const collector::MessageVerdict& said : result.last.messages) {
    last[said.message] = &said;
    if (!truth.contains(said.message)) {
      out.wrong.push_back(service.name + ": message " + said.message + " does not exist");
    }
  }
  const auto found = compare_changes(service, result, truth, out.wrong);
  for (const TrueMessage& message : result.truth) {
    const Instant purged = purged_at(message, zone);
    const auto said = last.find(message.id);
    if (said == last.end()) {
      out.wrong.push_back(service.name + ": nothing is said of message " + message.id);
    } else {
      compare_last(service, result, message, *said->second, zone, out.wrong);
    }
    const auto at = found.find(message.id);
    const Instant by = to_be_said_by(service, message.sent);
    const bool late = at != found.end() && by < at->second;
    if (late && sight_at(service, message.sent) == Sight::kSeen) {
      out.wrong.push_back(named(service, message) + " was found to be " +
                          std::string{to_string(first_verdict(message))} + " at " +
                          to_rfc3339(at->second) + ", to be found by " + to_rfc3339(by));
    }
    if (!is_loss(message.fate)) continue;
    const auto when = at == found.end() ? std::nullopt : std::optional{at->second};
    out.losses.push_back({service.name, message.sent, when, purged, by});
  }
  compare_overloads(service, result.overloads, view.overloads, out.wrong);
  compare_latent_fault(service, result, view.latent, out.wrong);
  const std::vector<Called> called = called_for(service, result, view.correlation, zone);
  compare_incidents(service, called, view, out.wrong);
  compare_causes(service, called, result.causes, out.wrong);
  compare_clocks(service, called, view, zone, out.wrong);
  out.signs = signs_of(service, called);
  return out;
}

}  // namespace meldevakt::sim
