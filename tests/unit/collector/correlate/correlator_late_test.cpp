// What comes late changes what was said, in the incremental correlator as in the rebuild.
#include <doctest/doctest.h>

#include <functional>

#include "tests/unit/collector/correlate/correlator_pair.h"

namespace meldevakt::collector {
namespace {

using testing::at;
using testing::Pair;
using testing::SmallWorld;

TEST_CASE("Correlator: what another portal's first word, and the register, change") {
  SmallWorld world;
  world.committed(1);
  const Instant later = at(1 + 86400);
  const ReceiptCoverage list{"npb", {at(-3600), at(3 * 86400)}};
  const ReceiptCoverage other{"other", {at(-9e6), at(-8e6)}};
  const auto verdict = [&](const std::function<void(Pair&)>& hear) {
    Pair pair{world.input.policy};
    pair.add(world.input.facts.front());
    pair.add(list);
    pair.check(later);
    hear(pair);
    pair.check(later);  // the same as at once
    return pair.verdict_of(testing::portal_id(1));
  };
  const auto row = [&](Pair& pair) {
    SmallWorld more;
    more.row(2, at(-9e6), at(-9e6)).portal = "other";
    pair.add(more.input.receipts.front());
  };
  CHECK(verdict([](Pair&) {}) == Verdict::kUnreceipted);
  // The register names one of which nothing was ever imported; and takes it back.
  CHECK(verdict([](Pair& pair) {
          pair.set_portal_uses({{"other", {at(-100), at(1e9)}}});
        }) == Verdict::kStored);
  CHECK(verdict([&](Pair& pair) {
          pair.set_portal_uses({{"other", {at(-100), at(1e9)}}});
          pair.check(later);
          pair.set_portal_uses({});
        }) == Verdict::kUnreceipted);
  CHECK(verdict(row) == Verdict::kStored);
  CHECK(verdict([&](Pair& pair) { pair.add(other); }) == Verdict::kStored);
  CHECK(verdict([&](Pair& pair) {
          pair.add(other);
          pair.check(later);
          pair.set_portal_uses({{"other", other.span}});
        }) == Verdict::kUnreceipted);
}

TEST_CASE("Correlator: what is read late of the time before a second delivery") {
  SmallWorld world;
  world.acknowledged(0);
  world.failed(1);
  world.received(2 * 86'400.0);
  world.committed(2 * 86'400.0 + 1);
  SmallWorld read;
  read.trace_covered(-3600, 3 * 86'400.0);
  const Instant later = at(4 * 86'400.0);
  Pair pair{world.input.policy};
  for (const LedgerFact& fact : world.input.facts) pair.add(fact);
  pair.check(later);
  CHECK(pair.verdict_of(testing::portal_id(1)) == Verdict::kStoredAfterReceipt);
  pair.add(read.input.coverage.front());
  pair.check(later);
  CHECK(pair.verdict_of(testing::portal_id(1)) == Verdict::kRecovered);
  LedgerCoverage gap = read.input.coverage.front();
  gap.source.complete.reset();
  gap.source.event_gaps.push_back({{at(2), at(3)}, "gone"});
  pair.add(gap);
  pair.check(later);
  CHECK(pair.verdict_of(testing::portal_id(1)) == Verdict::kStoredAfterReceipt);
}

TEST_CASE("Correlator: what is read late around a row of another zone") {
  SmallWorld world;
  SUBCASE("as it is by default") {}
  SUBCASE("where little before a receipt must have been read") {
    world.input.policy.look_before = seconds(1);
  }
  world.row(1, at(-5), at(0));
  world.row(1, at(-3605), at(-3600));
  world.committed(-1);
  world.acknowledged(0);
  const Instant later = at(86'400);
  Pair pair{world.input.policy};
  for (const LedgerFact& fact : world.input.facts) pair.add(fact);
  for (const Receipt& row : world.input.receipts) pair.add(row);
  const auto read = [&](double from, double to, double gap = 9e6) {
    SmallWorld more;
    LedgerCoverage claim = more.trace_covered(from, to);
    claim.source.event_gaps.push_back({{at(gap), at(gap + 1)}, "gone"});
    pair.add(claim);
    pair.check(later);
    return pair.verdict_of(testing::portal_id(1));
  };
  CHECK(read(-600, 3600) == Verdict::kStoredAfterReceipt);  // the earlier one may be right
  CHECK(read(-7200, -600) == Verdict::kStored);
  CHECK(read(-7200, -600, -3600 - 419) == Verdict::kStoredAfterReceipt);
}

}  // namespace
}  // namespace meldevakt::collector
