#include "collector/report/latent_watch.h"

#include <algorithm>
#include <iterator>

namespace meldevakt::collector {

void LatentWatch::Edge::put(const std::string& message, Instant time) {
  drop(message);
  Key key{place_of(time), message};
  // Beyond the last that is kept it is one of those that nobody remembers.
  if (cut_ && (order_.empty() || *order_.rbegin() < key)) return;
  places_[message] = key.first;
  order_.insert(std::move(key));
  if (order_.size() <= kKept) return;
  const auto last = std::prev(order_.end());
  places_.erase(last->second);
  order_.erase(last);
  cut_ = true;
}

void LatentWatch::Edge::drop(const std::string& message) {
  const auto at = places_.find(message);
  if (at == places_.end()) return;
  order_.erase({at->second, message});
  places_.erase(at);
}

std::optional<Instant> LatentWatch::Edge::first() const {
  if (order_.empty()) return std::nullopt;
  const std::int64_t place = order_.begin()->first;
  return Instant{end_ == End::kOldest ? place : -place};
}

std::uint64_t LatentWatch::Edge::later_than(Instant time) const {
  std::uint64_t out = 0;
  for (auto at = order_.begin(); at != order_.end() && at->first < place_of(time); ++at) ++out;
  return out;
}

void LatentWatch::note(const Correlator::Change& change) {
  if (change.before && shows_fault(*change.before)) --faulty_;
  drop(change.message.message);
  if (!change.gone) put(change.message);
}

void LatentWatch::put(const MessageVerdict& message) {
  if (shows_fault(message.verdict)) ++faulty_;
  if (!message.receipted) return;
  switch (message.verdict) {
    case Verdict::kStoredAfterReceipt:
    case Verdict::kRecovered:
      first_faulty_.put(message.message, *message.receipted);
      last_faulty_.put(message.message, *message.receipted);
      return;
    case Verdict::kStored:
      if (is_sound(message)) last_sound_.put(message.message, *message.receipted);
      return;
    case Verdict::kLost:
    case Verdict::kMissing: return last_lost_.put(message.message, *message.receipted);
    default: return;
  }
}

void LatentWatch::drop(const std::string& message) {
  for (Edge* const edge : {&first_faulty_, &last_faulty_, &last_sound_, &last_lost_}) {
    edge->drop(message);
  }
}

bool LatentWatch::knows_enough() const {
  return first_faulty_.knows(1) && last_faulty_.knows(1) && last_sound_.knows(kSoundMessages) &&
         last_lost_.knows(1);
}

void LatentWatch::recount(const VisitAll& visit_all) {
  const std::uint64_t recounts = recounts_ + 1;
  *this = LatentWatch{};
  recounts_ = recounts;
  visit_all([this](const MessageVerdict& message) { put(message); });
}

std::optional<LatentFault> LatentWatch::fault(const VisitAll& visit_all,
                                              std::optional<Instant> fixed_since) {
  if (faulty_ == 0) return std::nullopt;
  if (!knows_enough()) recount(visit_all);
  const std::optional<Instant> first = first_faulty_.first();
  const std::optional<Instant> last = last_faulty_.first();
  if (!first || !last) return std::nullopt;
  LatentFault out{*first, *last, faulty_, last_sound_.later_than(*last), true};
  const std::optional<Instant> last_loss = last_lost_.first();
  // What ends it must have come after the last of both.
  const Instant latest = std::max(*last, last_loss.value_or(*last));
  const bool fixed =
      last_sound_.later_than(latest) >= kSoundMessages || (fixed_since && latest < *fixed_since);
  out.present = !fixed;
  return out;
}

}  // namespace meldevakt::collector
