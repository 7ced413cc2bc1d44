#include "collector/correlate/settled_rows.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

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
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (is_open(rows[i]) && said_at(rows, by_time, rows[i]).only_letter()) say_letter(i);
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

std::vector<bool> outweighed_rows(const Lives& lives, const Life& life) {
  std::vector<bool> out;
  const auto groups = rows_in_zones(life.receipts);
  if (groups.empty()) return out;
  out.resize(life.receipts.size());
  const SeenTimes acknowledged = seen_times(lives, life, [](const StepFact& what) {
    return what.signal == Signal::kMessageAcknowledged;
  });
  const SeenTimes seen = seen_times(lives, life, [](const StepFact&) { return true; });
  for (const std::vector<std::size_t>& group : groups) {
    for (const SeenTimes* const times : {&acknowledged, &seen}) {
      const auto is_near = [&](std::size_t i) {
        return times->any_near(*life.receipts[i].confirmed);
      };
      if (std::none_of(group.begin(), group.end(), is_near)) continue;
      for (const std::size_t i : group) out[i] = !is_near(i);
      break;
    }
  }
  return out;
}

}  // namespace meldevakt::collector
