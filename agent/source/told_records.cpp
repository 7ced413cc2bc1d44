#include "agent/source/told_records.h"

#include <algorithm>
#include <array>

#include "common/base/text.h"

namespace meldevakt::agent {

bool ToldRecords::holds(const EventPlace& place) const {
  return std::any_of(runs_.begin(), runs_.end(), [&](const Run& run) {
    return run.first <= place.record && place.record <= run.last && run.from <= place.time &&
           place.time <= run.to;
  });
}

// Times within a log are nearly, not quite, in the order of its numbers: a clock is set back.
bool ToldRecords::leads_to(const EventPlace& place) const {
  return std::any_of(runs_.begin(), runs_.end(), [&](const Run& run) {
    return run.last + 1 == place.record && run.from <= place.time;
  });
}

std::uint64_t ToldRecords::missing_before(const EventPlace& place) const {
  if (leads_to(place)) return 0;
  const Run* before = nullptr;
  for (const Run& run : runs_) {
    if (run.from <= place.time && (before == nullptr || before->to < run.to)) before = &run;
  }
  if (before == nullptr) return 0;
  return place.record > before->last ? place.record - before->last - 1 : 1;
}

void ToldRecords::add(const EventPlace& place) {
  const auto grown = std::find_if(runs_.rbegin(), runs_.rend(), [&](const Run& run) {
    return run.last + 1 == place.record && run.from <= place.time;
  });
  if (grown == runs_.rend()) {
    if (runs_.size() == kToldRunsMax) runs_.erase(runs_.begin());
    runs_.push_back({place.record, place.record, place.time, place.time});
    return;
  }
  grown->last = place.record;
  grown->to = std::max(grown->to, place.time);
  // It may have grown up to one that was told before it.
  const auto next = std::find_if(runs_.begin(), runs_.end(), [&](const Run& run) {
    return run.first == grown->last + 1 && grown->from <= run.from;
  });
  if (next == runs_.end()) return;
  grown->last = next->last;
  grown->to = std::max(grown->to, next->to);
  runs_.erase(next);
}

std::string ToldRecords::text() const {
  std::string out;
  for (const Run& run : runs_) {
    out += std::to_string(run.first) + " " + std::to_string(run.last) + " " + run.from + " " +
           run.to + "\n";
  }
  return out;
}

Result<ToldRecords> ToldRecords::parse(std::string_view text) {
  ToldRecords out;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    std::array<std::string_view, 4> words;
    std::string_view rest = line;
    for (std::string_view& word : words) {
      word = rest.substr(0, rest.find(' '));
      rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    }
    const auto first = parse_u64(words[0]);
    const auto last = parse_u64(words[1]);
    if (!first || !last || *last < *first || words[2].empty() || words[3] < words[2] ||
        !rest.empty() || out.runs_.size() == kToldRunsMax) {
      return Error{Errc::kCorrupt, "no list of records that were told"};
    }
    out.runs_.push_back({*first, *last, std::string{words[2]}, std::string{words[3]}});
  }
  return out;
}

}  // namespace meldevakt::agent
