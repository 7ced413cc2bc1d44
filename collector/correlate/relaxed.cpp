#include "collector/correlate/relaxed.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <tuple>

#include "collector/correlate/lives.h"

namespace meldevakt::collector {
namespace {

struct Waiting {
  Instant time;  // of its receipt or its failure
  const MessageVerdict* message = nullptr;
};

bool may_wait_for_a_commit(const MessageVerdict& message) {
  return message.receipted && !message.committed && message.verdict != Verdict::kFallback &&
         message.verdict != Verdict::kRecovered;
}

std::vector<Waiting> waiting_of(const Correlation& all) {
  std::vector<Waiting> out;
  for (const MessageVerdict& message : all.messages) {
    if (!may_wait_for_a_commit(message)) continue;
    out.push_back({*message.receipted, &message});
    if (message.failed) out.push_back({*message.failed, &message});
  }
  std::sort(out.begin(), out.end(), [](const Waiting& a, const Waiting& b) {
    return std::tie(a.time, a.message->message) < std::tie(b.time, b.message->message);
  });
  return out;
}

bool forms_agree(FormType a, FormType b) {
  return a == b || a == FormType::kUnknown || b == FormType::kUnknown;
}

// The messages that fit a commit, nearest first.
std::vector<const MessageVerdict*> fitting(const std::vector<Waiting>& waiting, Instant time,
                                           FormType form, Duration reach) {
  std::map<const MessageVerdict*, std::int64_t> distance;
  auto at = std::lower_bound(waiting.begin(), waiting.end(), time - reach,
                             [](const Waiting& w, Instant t) { return w.time < t; });
  for (; at != waiting.end() && at->time <= time + reach; ++at) {
    if (!forms_agree(at->message->form, form)) continue;
    const std::int64_t off = std::abs((at->time - time).ms);
    const auto [known, added] = distance.try_emplace(at->message, off);
    if (!added) known->second = std::min(known->second, off);
  }
  std::vector<const MessageVerdict*> out;
  for (const auto& [message, off] : distance) out.push_back(message);
  std::sort(out.begin(), out.end(), [&](const MessageVerdict* a, const MessageVerdict* b) {
    return std::tie(distance[a], a->message) < std::tie(distance[b], b->message);
  });
  return out;
}

}  // namespace

std::vector<RelaxedMatch> relaxed_matches(const Correlation& all, const TenantInput& input) {
  const std::vector<Waiting> waiting = waiting_of(all);
  std::vector<RelaxedMatch> out;
  std::map<std::string, std::size_t> commits_of;  // message -> how many commits could be its
  for (const Step& step : nameless_commits_of(input)) {
    RelaxedMatch match;
    match.fact_id = step.id();
    match.agent = step.ledger->agent;
    match.source = step.ledger->fact.source;
    match.time = step.what->time;
    match.form = step.what->form.value_or(FormType::kUnknown);
    const auto found =
        fitting(waiting, match.time, match.form, input.policy.nearby + step.what->time_error);
    for (const MessageVerdict* message : found) {
      ++commits_of[message->message];
      if (match.messages.size() < kListedCandidatesMax) {
        match.messages.push_back(message->message);
      } else {
        ++match.more;
      }
    }
    out.push_back(std::move(match));
  }
  for (RelaxedMatch& match : out) {
    match.only = match.messages.size() == 1 && commits_of[match.messages.front()] == 1;
  }
  return out;
}

}  // namespace meldevakt::collector
