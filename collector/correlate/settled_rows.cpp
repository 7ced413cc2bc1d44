#include "collector/correlate/settled_rows.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/receipts/counting_rows.h"

namespace meldevakt::collector {
namespace {

// What it took is not known of each: its widest doubt counts for all.
class SeenTimes {
 public:
  SeenTimes(const Lives& lives, const Life& life) {
    for (const std::size_t i : life.own) {
      const StepFact& what = *lives.steps[i].what;
      times_.push_back(what.time);
      reach_ = std::max(reach_, kHandledWithin + what.time_error);
    }
    std::sort(times_.begin(), times_.end());
  }
  [[nodiscard]] bool any_near(Instant time) const {
    const auto at = std::lower_bound(times_.begin(), times_.end(), time - reach_);
    return at != times_.end() && *at <= time + reach_;
  }

 private:
  std::vector<Instant> times_;
  Duration reach_ = kHandledWithin;
};

// Which rows that tell one sending in several zones lie near what is seen, group by group.
template <typename Use>
void for_each_group(const Lives& lives, const Life& life, const Use& use) {
  const auto groups = rows_in_zones(life.receipts);
  if (groups.empty()) return;
  const SeenTimes seen{lives, life};
  for (const std::vector<std::size_t>& group : groups) {
    std::vector<std::size_t> far;
    for (const std::size_t i : group) {
      if (!seen.any_near(*life.receipts[i].confirmed)) far.push_back(i);
    }
    use(group, far);
  }
}

// Rows that lie near nothing, where others of the same sending do.
std::vector<bool> wrong_zones(const Lives& lives, const Life& life) {
  std::vector<bool> out;
  for_each_group(lives, life, [&](const auto& group, const auto& far) {
    if (far.size() == group.size()) return;
    out.resize(life.receipts.size());
    for (const std::size_t i : far) out[i] = true;
  });
  return out;
}

// Whether all that say by what channel that receipt came say "print".
bool is_of_a_letter(const std::vector<Receipt>& by_time, const Receipt& row) {
  bool any = false;
  auto at =
      std::lower_bound(by_time.begin(), by_time.end(), *row.confirmed - kSameReceipt,
                       [](const Receipt& other, Instant time) { return *other.confirmed < time; });
  for (; at != by_time.end() && *at->confirmed <= *row.confirmed + kSameReceipt; ++at) {
    if (at->portal != row.portal || at->channel.empty()) continue;
    if (at->channel != kPrintChannel) return false;
    any = true;
  }
  return any;
}

// Confirmed rows that say a channel, by time; empty where none says "print", or all say something.
std::vector<Receipt> telling_channels(const std::vector<Receipt>& rows) {
  std::vector<Receipt> out;
  bool any_letter = false;
  bool any_open = false;
  for (const Receipt& row : rows) {
    any_letter = any_letter || row.channel == kPrintChannel;
    any_open = any_open || (row.confirmed && row.channel.empty());
    if (row.confirmed && !row.channel.empty()) out.push_back(row);
  }
  if (!any_letter || !any_open) return {};
  std::sort(out.begin(), out.end(),
            [](const Receipt& a, const Receipt& b) { return *a.confirmed < *b.confirmed; });
  return out;
}

}  // namespace

std::vector<std::vector<std::size_t>> zones_in_doubt(const Lives& lives, const Life& life) {
  std::vector<std::vector<std::size_t>> out;
  for_each_group(lives, life, [&](const auto& group, const auto& far) {
    if (far.size() == group.size()) out.push_back(group);
  });
  return out;
}

std::optional<Life> with_settled_rows(const Lives& lives, const Life& life) {
  if (life.receipts.size() < 2) return std::nullopt;
  const std::vector<bool> wrong = wrong_zones(lives, life);
  const std::vector<Receipt> channels = telling_channels(life.receipts);
  if (wrong.empty() && channels.empty()) return std::nullopt;
  Life out = life;
  out.receipts.clear();
  for (std::size_t i = 0; i < life.receipts.size(); ++i) {
    if (!wrong.empty() && wrong[i]) continue;
    Receipt row = life.receipts[i];
    if (row.confirmed && row.channel.empty() && is_of_a_letter(channels, row)) {
      row.channel = kPrintChannel;
    }
    out.receipts.push_back(std::move(row));
  }
  return out;
}

}  // namespace meldevakt::collector
