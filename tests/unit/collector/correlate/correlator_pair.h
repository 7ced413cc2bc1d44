// The incremental correlator and the rebuild, side by side: after every single step what it says,
// and what it told of changes, must be what correlate() says of everything added so far.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "collector/correlate/correlator.h"
#include "tests/unit/collector/correlate/random_world.h"

namespace meldevakt::collector::testing {

inline std::string said_of(const MessageVerdict& message) {
  return message_json(message, "t1") + (message.stored_first ? " stored first" : "");
}

// Both, side by side.
class Pair {
 public:
  explicit Pair(const Policy& policy) : correlator_{"t1", policy} {
    all_.tenant = "t1";
    all_.policy = policy;
  }

  void add(const LedgerFact& fact) {
    all_.facts.push_back(fact);
    REQUIRE(correlator_.add(fact).has_value());
  }
  void add(const Receipt& row) {
    all_.receipts.push_back(row);
    REQUIRE(correlator_.add(row).has_value());
  }
  void add(const RowAhead& row) {
    all_.rows_ahead.push_back(row);
    REQUIRE(correlator_.add(row).has_value());
  }
  void add(const LedgerCoverage& claim) {
    all_.coverage.push_back(claim);
    correlator_.add(claim);
  }
  void add(const ReceiptCoverage& claim) {
    all_.receipt_coverage.push_back(claim);
    correlator_.add(claim);
  }
  void set_policy(const Policy& policy) {
    all_.policy = policy;
    correlator_.set_policy(policy);
  }

  void set_unused(const std::vector<UnusedSource>& unused) {
    all_.unused = unused;
    correlator_.set_unused(unused);
  }

  void set_portal_uses(const std::vector<PortalUse>& uses) {
    all_.portal_uses = uses;
    correlator_.set_portal_uses(uses);
  }

  [[nodiscard]] Verdict verdict_of(const std::string& message) const {
    return told_.at(message).first;
  }

  void check(Instant now) {
    correlator_.settle(now, [this](const Correlator::Change& change) {
      const auto before = told_.find(change.message.message);
      REQUIRE((before == told_.end()) == !change.before.has_value());
      if (before != told_.end()) REQUIRE(before->second.first == *change.before);
      if (change.gone) {
        told_.erase(before);
        return;
      }
      const std::string text = said_of(change.message);
      if (before != told_.end()) REQUIRE(before->second.second != text);
      told_[change.message.message] = {change.message.verdict, text};
    });
    const Correlation expected = correlate(all_, now);
    REQUIRE(dumped(correlator_.correlation()) == dumped(expected));
    std::map<std::string, std::pair<Verdict, std::string>> should;
    std::map<Verdict, std::uint64_t> counts;
    for (const MessageVerdict& message : expected.messages) {
      should[message.message] = {message.verdict, said_of(message)};
      ++counts[message.verdict];
    }
    REQUIRE(told_.size() == should.size());
    for (const auto& [name, said] : should) REQUIRE(told_[name].second == said.second);
    for (const auto& [verdict, count] : counts) REQUIRE(correlator_.count(verdict) == count);
  }

  std::string described() const {
    SmallWorld world;
    world.input = all_;
    return testing::described(world);
  }

 private:
  Correlator correlator_;
  TenantInput all_;
  std::map<std::string, std::pair<Verdict, std::string>> told_;
};

}  // namespace meldevakt::collector::testing
