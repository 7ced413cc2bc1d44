// What statements claim of their sources. Pure. Thread-safety: as each says.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "collector/correlate/correlate.h"
#include "common/summary/statement.h"

namespace meldevakt::collector {

// One claim a source. How far the clock may be off: what the kernel still corrects and what it
// cannot vouch for, each rounded up to whole milliseconds; at least as much as the statement ends
// after it was received. A statement that ends more than
// kClockWrong after it was received comes from a clock that is wrong, whatever it says of itself:
// nothing later than `received` was read by it. What is cut so is never claimed again; less than
// that is not cut, since the next statement goes on where this one ended.
inline constexpr Duration kClockWrong = minutes(10);
[[nodiscard]] std::vector<LedgerCoverage> claims_of(const Statement& statement, Instant received);

// The same for statement after statement of a ledger, where some of what is told cannot be opened:
// nobody knows what it held, so nothing is read that may have stood there. The time in which such a
// statement was made is a gap of each of its agent's sources, from kToldBehind before it on; and so
// are the kClaimsVoided next claims of each source, from that statement's own on, since what is
// told is claimed with it or soon afterwards. Not what is claimed more than kClaimedWithin later:
// that is of another time. A portal's rows may have stood there too, and are told once, however
// often the list that they stand in is said to be complete: what this agent says of lists from then
// on does not reach back before that time, and only a list that is imported does.
//
// A statement that was taken before (it was read, and then heard of once more) claims nothing
// again. Thread-safety: none.
inline constexpr Duration kToldBehind = minutes(10);
inline constexpr Duration kClaimedWithin = days(1);
inline constexpr unsigned kClaimsVoided = 3;
class StatementClaims {
 public:
  // Adds to `part` what it claims of sources and lists. `opened`: all that it tells could be
  // opened; `lists`: what its bodies say of lists.
  void take(const Statement& statement, Instant received, bool opened,
            std::vector<ReceiptCoverage> lists, TenantInput& part);
  // A statement of that agent, received then, cannot be opened itself: it was made between the one
  // before it and the end of the next one that takes time, since an agent's statements leave no
  // time out. (Of a large seal all but the last begin and end where the seal begins.) REQUIRES:
  // statements were taken from the ledger's beginning on.
  void lose(const std::string& agent, Instant received);

  // What goes on from one reader of the ledger to the next.
  [[nodiscard]] const std::map<std::string, LostFacts>& lost() const { return lost_; }
  void go_on_from(std::map<std::string, LostFacts> lost) { lost_ = std::move(lost); }

 private:
  void add_loss(const std::string& agent, const Interval& made, Instant received,
                bool until_unknown);
  void void_claims(const Statement& statement, LostFacts& lost,
                   std::vector<LedgerCoverage>& claims);

  std::map<std::string, LostFacts> lost_;  // by agent
  std::map<std::string, Instant> ends_;    // of each agent's statement that was taken last
};

}  // namespace meldevakt::collector
