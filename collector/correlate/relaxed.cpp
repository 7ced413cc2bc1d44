#include "collector/correlate/relaxed.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <tuple>

#include "collector/correlate/lives.h"
#include "common/summary/forms.h"

namespace meldevakt::collector {
namespace {

struct Waiting {
  Instant time;  // of its receipt or its failure
  const MessageVerdict* message = nullptr;
  std::string_view district;  // its number; "" when nobody says
};

bool may_wait_for_a_commit(const MessageVerdict& message) {
  return message.receipted && !message.committed && message.verdict != Verdict::kFallback &&
         message.verdict != Verdict::kRecovered;
}

// What the logs or the portal's rows say, as a number.
std::string_view number_of(const std::string& district, const DistrictNumbers& numbers) {
  if (is_district_number(district)) return district;
  const auto at = numbers.find(district);
  return at == numbers.end() ? std::string_view{} : std::string_view{at->second};
}

std::vector<Waiting> waiting_of(const Correlation& all, const DistrictNumbers& numbers) {
  std::vector<Waiting> out;
  for (const MessageVerdict& message : all.messages) {
    if (!may_wait_for_a_commit(message)) continue;
    const std::string_view district = number_of(message.district, numbers);
    out.push_back({*message.receipted, &message, district});
    if (message.failed) out.push_back({*message.failed, &message, district});
  }
  std::sort(out.begin(), out.end(), [](const Waiting& a, const Waiting& b) {
    return std::tie(a.time, a.message->message) < std::tie(b.time, b.message->message);
  });
  return out;
}

bool forms_agree(FormType a, FormType b) {
  return a == b || a == FormType::kUnknown || b == FormType::kUnknown;
}

bool districts_agree(std::string_view a, std::string_view b) {
  return a == b || a.empty() || b.empty();
}

// The messages that fit a commit, nearest first.
std::vector<const MessageVerdict*> fitting(const std::vector<Waiting>& waiting,
                                           const RelaxedMatch& commit, Duration reach) {
  const Instant time = commit.time;
  std::map<const MessageVerdict*, std::int64_t> distance;
  auto at = std::lower_bound(waiting.begin(), waiting.end(), time - reach,
                             [](const Waiting& w, Instant t) { return w.time < t; });
  for (; at != waiting.end() && at->time <= time + reach; ++at) {
    if (!forms_agree(at->message->form, commit.form)) continue;
    if (!districts_agree(at->district, commit.district)) continue;
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

std::vector<RelaxedMatch> relaxed_matches(const Correlation& all, const TenantInput& input,
                                          const DistrictNumbers& numbers) {
  const std::vector<Waiting> waiting = waiting_of(all, numbers);
  std::vector<RelaxedMatch> out;
  std::map<std::string, std::size_t> commits_of;  // message -> how many commits could be its
  for (const Step& step : nameless_commits_of(input)) {
    RelaxedMatch match;
    match.fact_id = step.id();
    match.agent = step.ledger->agent;
    match.source = step.ledger->fact.source;
    match.time = step.what->time;
    match.form = step.what->form.value_or(FormType::kUnknown);
    match.district = step.what->district;
    const auto found = fitting(waiting, match, input.policy.nearby + step.what->time_error);
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
