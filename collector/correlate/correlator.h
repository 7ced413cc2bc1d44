// correlate() one piece at a time: what is added changes only what it touches.
//
//   Correlator correlator{tenant, policy};
//   correlator.add(ledger_fact); correlator.add(receipt); correlator.add(claim); ...
//   correlator.settle(now, [](const Correlator::Change& change) { ... });
//
// After settle(now) the state equals correlate() of everything that was added, byte for byte, in
// whatever order and however often it came: Correlator::correlation() says it whole. What is
// decided again: messages whose names a fact or row names, and those that could own the same
// unclear steps; those without commit or receipt near whose life coverage changed or a nameless
// step lies; those near whose life a window changed; those whose time has come. A new policy, a
// source that is asked about a signal for the first time and a `now` before the last one decide
// more.
//
// Pure. Thread-safety: none; one tenant, one thread at a time. Memory: see archive.h; some 200
// bytes a message with a portal row and three facts by its tables. Cost of settle(): O(log n) for
// each message that is decided again, besides its own facts and those of the names tied to it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collector/correlate/correlate.h"

namespace meldevakt::collector {

class CoverageMap;

class Correlator {
 public:
  explicit Correlator(std::string tenant, Policy policy = {});
  ~Correlator();
  Correlator(Correlator&&) noexcept;
  Correlator& operator=(Correlator&&) noexcept;

  // kInvalid: what no agent and no file can have said (a malformed id); nothing is added then.
  // REQUIRES: no portal's row and no list's claim (add_fact() sorts them out).
  Status add(const LedgerFact& fact);
  Status add(const Receipt& row);
  Status add(const RowAhead& row);
  void add(const LedgerCoverage& claim);
  void add(const ReceiptCoverage& claim);
  // All of them; the first error is returned, the rest is added all the same. Policy, tenant and
  // what was in use (set_unused(), set_portal_uses()) are not looked at.
  Status add(const TenantInput& input);
  void set_policy(Policy policy);
  // All that is said of sources, or of portals, in place of what was said before.
  void set_unused(std::vector<UnusedSource> unused);
  void set_portal_uses(std::vector<PortalUse> uses);

  struct Change {
    MessageVerdict message;         // as it is now; only its name when it is gone
    std::optional<Verdict> before;  // nullopt: it was not there
    bool gone = false;              // its name belongs to another message now, or nothing says it
  };
  // Decides everything anew that may have changed, and tells what did. In no particular order; each
  // message once.
  void settle(Instant now, const std::function<void(const Change&)>& tell);

  // The next time at which time alone may change what is said: settle() then at the latest.
  [[nodiscard]] std::optional<Instant> next_due() const;

  // As of the last settle().
  [[nodiscard]] Correlation correlation() const;
  // The same messages, in no particular order, without holding them all.
  void visit(const std::function<void(const MessageVerdict&)>& use) const;
  // What was read, as far as it was added.
  [[nodiscard]] const CoverageMap& coverage() const;
  [[nodiscard]] std::uint64_t message_count() const;
  [[nodiscard]] std::uint64_t count(Verdict verdict) const;
  [[nodiscard]] std::uint64_t decisions() const;  // taken so far: what settle() cost
  // Facts and names kept: what it costs in memory, at some 50 bytes each.
  [[nodiscard]] std::uint64_t kept() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace meldevakt::collector
