// Everything of a tenant as correlate() gets it: of that tenant alone, in parts, and what cannot be
// opened costs only itself.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/unit/collector/store/store_world.h"

namespace meldevakt::collector {
namespace {

using testing::admit;
using testing::FakeAgent;
using testing::kStart;

using World = testing::StoreWorld;
using testing::receipt;

TEST_CASE("tenant_input: facts, coverage and receipts of one tenant, and of no other") {
  World world;
  FakeAgent a{'a', "t1"};
  FakeAgent b{'b', "t2"};
  REQUIRE(admit(*world, a));
  REQUIRE(admit(*world, b));
  REQUIRE(world->store_frame(a.next("one"), kStart + seconds(9)));
  REQUIRE(world->store_frame(a.next("two"), kStart + seconds(9)));
  REQUIRE(world->store_frame(b.next("three"), kStart));
  const ReceiptCoverage covered{"npb", {kStart, kStart + days(1)}};
  REQUIRE(world->import_receipts("t1", {}, covered, kStart));
  REQUIRE(world->import_receipts("t1", {}, covered, kStart + seconds(1)));
  std::vector<Alarm> alarms;
  const TenantInput input = world->tenant_input("t1", alarms).value();
  CHECK(alarms.empty());
  CHECK(input.tenant == "t1");
  REQUIRE(input.facts.size() == 2);
  CHECK(input.facts[0].agent == a.id());
  REQUIRE(input.coverage.size() == 2);
  CHECK(input.coverage[1].sequence == 1);
  CHECK(input.coverage[1].clock_error == milliseconds(2));  // 1500 us, rounded up
  CHECK(input.coverage[1].span == Interval{kStart + seconds(1), kStart + seconds(2)});
  CHECK(input.receipt_coverage == std::vector<ReceiptCoverage>{covered});
  CHECK(world->tenant_input("t2", alarms).value().facts.size() == 1);
}

TEST_CASE("read_input: in parts of a bounded size, which together are everything") {
  World world;
  FakeAgent agent{'a', "t1"};
  REQUIRE(admit(*world, agent));
  REQUIRE(world->store_frame(agent.next("one"), kStart));
  REQUIRE(world->store_frame(agent.next("two"), kStart));
  std::vector<Receipt> rows;
  for (std::size_t n = 0; n < 2 * Store::kPartItems + 5; ++n) {
    const std::string digits = std::to_string(100'000 + n);
    rows.push_back(receipt("5b0c8f0e-6f0e-4a44-9a39-1d6f0c" + digits, kStart));
  }
  const ReceiptCoverage covered{"npb", {kStart, kStart + days(1)}};
  REQUIRE(world->import_receipts("t1", rows, covered, kStart));
  std::vector<Alarm> alarms;
  std::size_t parts = 0;
  TenantInput sum;
  REQUIRE(world->read_input(
      "t1",
      [&](TenantInput&& part) {
        ++parts;
        CHECK(part.tenant == "t1");
        CHECK(part.facts.size() + part.coverage.size() + part.receipts.size() <= Store::kPartItems);
        sum.facts.insert(sum.facts.end(), part.facts.begin(), part.facts.end());
        sum.receipts.insert(sum.receipts.end(), part.receipts.begin(), part.receipts.end());
      },
      alarms));
  CHECK(parts == 3);
  const TenantInput all = world->tenant_input("t1", alarms).value();
  CHECK(all.facts.size() == 2);
  CHECK(all.coverage.size() == 2);
  CHECK(all.receipts == rows);
  CHECK(all.receipt_coverage == std::vector<ReceiptCoverage>{covered});
  CHECK(sum.facts.size() == all.facts.size());
  CHECK(sum.receipts == all.receipts);
}

TEST_CASE("a body that cannot be opened, or is gone, is an alarm, and its statement read nothing") {
  World world;
  FakeAgent agent{'a', "t1"};
  REQUIRE(admit(*world, agent));
  REQUIRE(world->store_frame(agent.next("one"), kStart));
  // Signed and hashed rightly, but its JSON is none of ours.
  const std::string plain = R"({"salt":"","facts":[{"text":"hemmelig"}]})";
  const std::string packed = pack(plain);
  Statement statement = agent.next_statement();
  statement.sources.front().complete = Interval{kStart - hours(1), kStart};
  statement.bodies.push_back({sha256(packed), packed.size(), sha256(plain), plain.size(), 0, 1});
  const Frame bad = agent.seal_frame(statement, {packed});
  REQUIRE(world->store_frame(verify_frame(encode_frame(bad), agent.key(), world.verifier).value(),
                             kStart + seconds(3)));
  REQUIRE(world->store_frame(agent.next("three"), kStart));
  std::vector<Alarm> alarms;
  const TenantInput input = world->tenant_input("t1", alarms).value();
  CHECK(input.facts.size() == 2);
  REQUIRE(input.coverage.size() == 3);
  CHECK(!input.coverage[1].source.complete);
  REQUIRE(input.coverage[1].source.event_gaps.size() == 2);
  CHECK(input.coverage[1].source.event_gaps[1].span == statement.sources.front().complete);
  CHECK(!input.coverage[2].source.event_gaps.empty());  // what is told is claimed afterwards
  CHECK(input.lost_facts.count(agent.id()) == 1);
  REQUIRE(alarms.size() == 1);
  CHECK(alarms[0].kind == "undecodable_body");
  CHECK(alarms[0].time == kStart + seconds(3));
  CHECK(alarms[0].detail.find("ledger index 1") == 0);
  CHECK(alarms[0].detail.find("hemmelig") == std::string::npos);
}

}  // namespace
}  // namespace meldevakt::collector
