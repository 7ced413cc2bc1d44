#include "collector/incidents/cause_watch.h"

namespace meldevakt::collector {
namespace {

Verdict verdict_of(int how_bad) {
  for (std::size_t i = 0; i <= static_cast<std::size_t>(Verdict::kUnreceipted); ++i) {
    const auto verdict = static_cast<Verdict>(i);
    if (severity(verdict) == how_bad) return verdict;
  }
  return Verdict::kStoredAfterReceipt;
}

}  // namespace

void CauseWatch::note(const MessageVerdict& message) {
  drop(message.message);
  const bool watched =
      belongs_to_an_incident(message.verdict) && message.verdict != Verdict::kStoredAfterReceipt;
  if (!watched) return;
  const Instant time = event_time(message);
  const auto [at, added] = causes_.try_emplace(message.cause);
  news_ = news_ || added;
  at->second.messages.emplace(time, message.message);
  ++at->second.severities[severity(message.verdict)];
  if (message.verdict == Verdict::kUnverifiable) ++unverifiable_;
  places_[message.message] = {message.cause, time, message.verdict};
}

void CauseWatch::drop(const std::string& message) {
  const auto place = places_.find(message);
  if (place == places_.end()) return;
  const auto at = causes_.find(place->second.cause);
  Cause& cause = at->second;
  cause.messages.erase({place->second.time, message});
  const auto bad = cause.severities.find(severity(place->second.verdict));
  if (--bad->second == 0) cause.severities.erase(bad);
  if (place->second.verdict == Verdict::kUnverifiable) --unverifiable_;
  if (cause.messages.empty()) {
    causes_.erase(at);
    news_ = true;
  }
  places_.erase(place);
}

void CauseWatch::clear() {
  news_ = news_ || !causes_.empty();
  places_.clear();
  causes_.clear();
  unverifiable_ = 0;
}

std::vector<CausePart> CauseWatch::parts() const {
  std::vector<CausePart> out;
  for (const auto& [cause, of_it] : causes_) {
    out.push_back({cause, verdict_of(of_it.severities.rbegin()->first),
                   of_it.messages.begin()->first, of_it.messages.rbegin()->first,
                   of_it.messages.size()});
  }
  return out;
}

bool CauseWatch::take_news() {
  return std::exchange(news_, false);
}

}  // namespace meldevakt::collector
