#include "collector/correlate/settled_rows.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "common/receipts/counting_rows.h"

namespace meldevakt::collector {
namespace {

// --- channels

// What rows with a channel say of one receipt.
struct Said {
  bool letter = false;
  bool other = false;
  void add(const Receipt& row) {
    letter = letter || row.channel == kPrintChannel;
    other = other || (!row.channel.empty() && row.channel != kPrintChannel);
  }
  [[nodiscard]] bool only_letter() const { return letter && !other; }
};

bool is_open(const Receipt& row) {
  return row.confirmed && row.channel.empty();
}

// The same receipt by time. `by_time`: places of confirmed rows in order.
Said said_at(const std::vector<Receipt>& rows, const std::vector<std::size_t>& by_time,
             const Receipt& row) {
  Said out;
  const auto first = std::lower_bound(
      by_time.begin(), by_time.end(), *row.confirmed - kSameReceipt,
      [&rows](std::size_t place, Instant time) { return *rows[place].confirmed < time; });
  for (auto at = first; at != by_time.end(); ++at) {
    if (*row.confirmed + kSameReceipt < *rows[*at].confirmed) break;
    if (rows[*at].portal == row.portal) out.add(rows[*at]);
  }
  return out;
}

std::vector<std::size_t> by_time_confirmed(const std::vector<Receipt>& rows) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].confirmed && !rows[i].channel.empty()) out.push_back(i);
  }
  std::sort(out.begin(), out.end(), [&rows](std::size_t a, std::size_t b) {
    return rows[a].confirmed < rows[b].confirmed;
  });
  return out;
}

// --- zones

class SeenTimes {
 public:
  explicit SeenTimes(std::vector<Instant> times) : times_{std::move(times)} {
    std::sort(times_.begin(), times_.end());
  }
  [[nodiscard]] bool any_near(Instant time) const {
    const auto at = std::lower_bound(times_.begin(), times_.end(), time - kHandledWithin);
    return at != times_.end() && *at <= time + kHandledWithin;
  }

 private:
  std::vector<Instant> times_;
};

// A time that may be hours off says nothing of which hour is right.
template <typename Counts>
SeenTimes seen_times(const Lives& lives, const Life& life, const Counts& counts) {
  std::vector<Instant> out;
  for (const std::size_t i : life.own) {
    const StepFact& what = *lives.steps[i].what;
    if (what.time_error <= kHandledWithin && counts(what)) out.push_back(what.time);
  }
  return SeenTimes{std::move(out)};
}

auto is(Signal signal) {
  return [signal](const StepFact& what) { return what.signal == signal; };
}

// What is seen of a message, by how much it says of which row is right.
struct Evidence {
  Evidence(const Lives& lives, const Life& life)
      : acknowledged{seen_times(lives, life, is(Signal::kMessageAcknowledged))},
        committed{seen_times(lives, life, is(Signal::kMessageCommitted))},
        any{seen_times(lives, life, [](const StepFact&) { return true; })} {}

  // Acknowledgements, where one and a commit lie near the same row; else anything; nullptr:
  // nothing is near any of them.
  [[nodiscard]] const SeenTimes* that_decides(const std::vector<Receipt>& rows,
                                              const std::vector<std::size_t>& group) const {
    const auto near = [&rows](const SeenTimes& times) {
      return [&rows, &times](std::size_t i) { return times.any_near(*rows[i].confirmed); };
    };
    const auto is_acknowledged = near(acknowledged);
    const auto is_stored = near(committed);
    const auto both = [&](std::size_t i) { return is_acknowledged(i) && is_stored(i); };
    if (std::any_of(group.begin(), group.end(), both)) return &acknowledged;
    return std::any_of(group.begin(), group.end(), near(any)) ? &any : nullptr;
  }

  SeenTimes acknowledged;
  SeenTimes committed;
  SeenTimes any;
};

// Whether what lay near a time would be known.
class Surveyed {
 public:
  Surveyed(const Life& life, const CoverageMap& coverage, const TellingClocks& clocks)
      : coverage_{coverage}, clocks_{clocks} {
    for (const Reference& name : life.references) names_.add(name.type);
  }
  [[nodiscard]] bool around(Instant time, bool acknowledgements) const {
    if (acknowledgements && !coverage_.observed(Signal::kMessageAcknowledged, names_)) return false;
    const Need need{{time - kHandledWithin, time + kHandledWithin}, {}, names_, clocks_};
    constexpr std::array kTelling{Signal::kMessageAcknowledged, Signal::kMessageCommitted,
                                  Signal::kMessageSaveFailed};
    return std::none_of(kTelling.begin(), kTelling.end(), [&](Signal signal) {
      return coverage_.observed(signal, names_) && coverage_.first_hole(signal, need).has_value();
    });
  }

 private:
  const CoverageMap& coverage_;
  const TellingClocks& clocks_;
  ReferenceTypes names_;
};

}  // namespace

std::optional<Life> with_channels(const Life& life) {
  const std::vector<Receipt>& rows = life.receipts;
  const auto is_letter = [](const Receipt& row) { return row.channel == kPrintChannel; };
  if (std::none_of(rows.begin(), rows.end(), is_open) ||
      std::none_of(rows.begin(), rows.end(), is_letter)) {
    return std::nullopt;
  }
  std::optional<Life> out;
  const auto say_letter = [&](std::size_t place) {
    if (!out) out = life;
    out->receipts[place].channel = kPrintChannel;
  };
  const std::vector<std::size_t> by_time = by_time_confirmed(rows);
  std::map<std::pair<std::string_view, Instant>, bool> letters;  // each receipt is looked up once
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!is_open(rows[i])) continue;
    const auto [at, is_new] = letters.try_emplace({rows[i].portal, *rows[i].confirmed});
    if (is_new) at->second = said_at(rows, by_time, rows[i]).only_letter();
    if (at->second) say_letter(i);
  }
  for (const std::vector<std::size_t>& group : rows_in_zones(rows)) {
    Said said;
    for (const std::size_t i : group) said.add(rows[i]);
    for (const std::size_t i : group) {
      if (is_open(rows[i]) && said.only_letter()) say_letter(i);
    }
  }
  return out;
}

std::map<Sending, Interval> confirmations(const std::vector<Receipt>& rows) {
  std::map<Sending, Interval> out;
  for (const Receipt& row : rows) {
    if (!has_receipt(row)) continue;
    const Interval once{*row.confirmed, *row.confirmed};
    Interval& span = out.try_emplace({row.portal, row.sent}, once).first->second;
    span = {std::min(span.from, once.from), std::max(span.to, once.to)};
  }
  return out;
}

std::vector<bool> outweighed_rows(const Lives& lives, const Life& life, const CoverageMap& coverage,
                                  const TellingClocks& clocks, const Policy& policy) {
  const auto groups = rows_in_zones(life.receipts);
  if (groups.empty()) return {};
  std::vector<bool> out(life.receipts.size());
  const Evidence evidence{lives, life};
  const Surveyed surveyed{life, coverage, clocks};
  const auto confirmed = confirmations(life.receipts);
  const auto is_confirmed_twice = [&](const Receipt& row) {
    const auto sending = confirmed.find({row.portal, row.sent});
    return sending != confirmed.end() &&
           sending->second.to - sending->second.from >= policy.again_after;
  };
  for (const std::vector<std::size_t>& group : groups) {
    const SeenTimes* const times = evidence.that_decides(life.receipts, group);
    if (times == nullptr) continue;
    for (const std::size_t i : group) {
      const Receipt& row = life.receipts[i];
      out[i] = !times->any_near(*row.confirmed) && !is_confirmed_twice(row) &&
               surveyed.around(*row.confirmed, times == &evidence.acknowledged);
    }
  }
  return out;
}

}  // namespace meldevakt::collector
