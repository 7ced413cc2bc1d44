// The working state of Correlator (correlator.h): what is kept, and what waits to be decided again.
//
// Order inside settle(): 1 ties that a replaced fact no longer makes are undone; 2 what time, and
// what is near, touches is collected; 3 each touched component is decided, and what it says is
// compared by fingerprint with what was said before. Thread-safety: none.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "collector/correlate/component.h"
#include "collector/correlate/correlator.h"
#include "collector/correlate/span_index.h"

namespace meldevakt::collector {

class Correlator::State {
 public:
  State(std::string tenant, Policy policy)
      : tenant_{std::move(tenant)}, policy_{std::move(policy)} {}

  Status add(const LedgerFact& fact);
  Status add(const Receipt& row, const RowTelling& telling = {});
  Status add(const RowAhead& row) { return add(row.row, telling_of(row.row, row.told)); }
  void add(const LedgerCoverage& claim);
  void add(const ReceiptCoverage& claim);
  void set_policy(Policy policy);
  void set_unused(std::vector<UnusedSource> unused);
  void set_portal_uses(std::vector<PortalUse> uses);

  void settle(Instant now, const std::function<void(const Change&)>& tell);
  [[nodiscard]] std::optional<Instant> next_due();
  [[nodiscard]] Correlation correlation();
  void visit(const std::function<void(const MessageVerdict&)>& use);
  [[nodiscard]] std::uint64_t count(Verdict verdict) const {
    return counts_[static_cast<std::size_t>(verdict)];
  }
  [[nodiscard]] const CoverageMap& coverage() const { return coverage_; }
  [[nodiscard]] std::uint64_t decisions() const { return decisions_; }
  [[nodiscard]] std::uint64_t kept() const {
    return std::uint64_t{archive_.fact_count()} + archive_.name_count();
  }

 private:
  // A message that is not both committed and receipted, was delivered again, or of which nobody
  // knows whose it is: what surrounds it and time may change it.
  struct Unsettled {
    std::optional<Interval> sensitive;  // nullopt: nothing is known of when it was
    std::optional<Instant> next;
  };
  class Nearby;  // Surroundings of one component

  // --- adding (correlator_add.cpp)
  void attach(std::uint32_t slot);
  void detach(std::uint32_t slot);
  void attach_named(std::uint32_t slot, const std::vector<std::uint32_t>& names);
  void move_nameless(std::uint32_t slot, bool in);
  void touch(std::uint32_t name) {
    if (std::exchange(archive_.name(name).touched, true)) return;
    touched_.push_back(name);
  }
  void disturb(const Interval& span);          // whoever is sensitive to it
  void disturb_windows(const Interval& span);  // whoever's life it overlaps
  void disturb_all_unsettled();
  void disturb_everyone();
  // Whose receipt's and commit's order is so only as long as no clock errs more.
  void doubt_order();
  void doubt_order_in(const Interval& hours);

  // --- deciding (correlator_settle.cpp)
  void undo_ties();
  void wake(Instant now);
  [[nodiscard]] bool is_stale(const std::pair<Instant, std::uint32_t>& timer) const;
  [[nodiscard]] std::vector<std::uint32_t> touched_roots();
  void decide(std::uint32_t root, const std::function<void(const Change&)>& tell);
  void publish(std::uint32_t name, Judged judged, const std::function<void(const Change&)>& tell);
  void withdraw(std::uint32_t name, const std::function<void(const Change&)>& tell);
  void remember(std::uint32_t name, const Judged& judged);
  void judge_each(std::uint32_t root,
                  const std::function<void(std::uint32_t, std::optional<Judged>)>& use);
  [[nodiscard]] std::vector<OverloadWindow> windows_over(const Interval& span) const;
  [[nodiscard]] OverloadWindow window_of(std::uint32_t slot) const;

  // NameRow::across_clocks: 0, or by how many of these and one more its receipt lies before its
  // commit, or after it, as clocks tell that may err against each other; 255 is any more.
  static constexpr Duration kAcrossStep = milliseconds(100);
  [[nodiscard]] static std::uint8_t across_of(const std::optional<Duration>& apart);

  std::string tenant_;
  Policy policy_;
  Instant now_;

  Archive archive_;
  Mentions mentions_;
  Nameless nameless_;
  Components parts_{archive_, mentions_};
  std::vector<UnusedSource> unused_;
  std::vector<PortalUse> portal_uses_;
  CoverageMap coverage_;
  PortalMap portals_;

  // Lives by when they were, for windows; windows by when they were, for lives.
  SpanIndex lives_{21};
  SpanIndex windows_{21};
  std::set<std::uint32_t> window_slots_;
  SpanIndex sensitive_{17};
  std::unordered_map<std::uint32_t, Unsettled> unsettled_;
  std::priority_queue<std::pair<Instant, std::uint32_t>,
                      std::vector<std::pair<Instant, std::uint32_t>>, std::greater<>>
      timers_;
  std::vector<std::uint32_t> touched_;  // names whose facts, rows or ties changed
  std::vector<std::uint32_t> dirty_;    // names to be decided again for another reason
  bool all_unsettled_ = false;          // so are all that are unsettled
  std::vector<std::uint32_t> retie_;    // names whose component may fall apart
  std::array<std::uint64_t, static_cast<std::size_t>(Verdict::kUnreceipted) + 1> counts_{};
  std::uint64_t decisions_ = 0;
};

}  // namespace meldevakt::collector
