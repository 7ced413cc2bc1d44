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
  Cause& cause = causes_[message.cause];
  cause.messages.emplace(time, message.message);
  ++cause.severities[severity(message.verdict)];
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
  if (cause.messages.empty()) causes_.erase(at);
  places_.erase(place);
}

void CauseWatch::clear() {
  places_.clear();
  causes_.clear();
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

}  // namespace meldevakt::collector
