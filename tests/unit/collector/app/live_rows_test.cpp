// What the portal says anew of a message reaches the running collector without a tenant being read
// again, and leaves it where the store would.
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "collector/report/report.h"
#include "common/testing/doubles.h"
#include "tests/unit/collector/app/live_world.h"

namespace meldevakt::collector {
namespace {

using testing::LiveWorld;

std::vector<std::string> said(const std::vector<MessageVerdict>& messages) {
  std::vector<std::string> out;
  for (const MessageVerdict& message : messages) out.push_back(message_json(message, "t1"));
  return out;
}

// Live, and anew from the stored bytes.
void check_same(LiveWorld& world) {
  const LiveTenant* const live = world.live->find("t1");
  REQUIRE(live != nullptr);
  std::vector<Alarm> alarms;
  TenantInput input = world.store->tenant_input("t1", alarms).value();
  input.policy.report_within = seconds(0);
  const Correlation anew = correlate(input, world.clock.now());
  CHECK(said(live->correlator().correlation().messages) == said(anew.messages));
}

Receipt some_version(meldevakt::testing::SeededRandom& random, std::uint64_t message) {
  Receipt out;
  out.portal = random.below(4) == 0 ? "annen" : "npb";
  out.message_id = testing::portal_id(message);
  out.sent = testing::at(-5.0 - static_cast<double>(random.below(3)));
  if (random.below(3) != 0) out.confirmed = testing::at(static_cast<double>(random.below(4)));
  // Not to be believed, or by a clock that is slow.
  if (random.below(6) == 0) out.confirmed = testing::at(random.below(2) == 0 ? 1e5 : 2e5);
  out.form = random.below(2) == 0 ? FormType::kUnknown : FormType::kPrivate;
  out.channel = random.below(3) == 0 ? kPrintChannel : kCaseSystemChannel;
  if (random.below(3) == 0) out.district = "0301/0" + std::to_string(random.below(3));
  return out;
}

TEST_CASE("live rows property: versions in any order, several a list: as the store reads them") {
  const char* const given = std::getenv("MELDEVAKT_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 20261127;
  MESSAGE("seed " << seed);
  for (std::uint64_t round = 0; round < 12; ++round) {
    CAPTURE(round);
    meldevakt::testing::SeededRandom random{seed + round};
    LiveWorld world;
    world.send(world.agent, testing::lost_message(1), -3600, 60);
    const LiveTenant* const first = world.live->find("t1");
    for (int list = 0; list < 8; ++list) {
      std::vector<Receipt> rows;
      for (std::uint64_t i = 0; i <= random.below(4); ++i) {
        rows.push_back(some_version(random, 1 + random.below(3)));
      }
      world.import("t1", rows);
      check_same(world);
    }
    CHECK(world.live->find("t1") == first);  // it was never read again
  }
}

TEST_CASE("live rows: what the store had read before it was told is told twice without harm") {
  LiveWorld world;
  world.send(world.agent, testing::lost_message(1), -3600, 60);
  meldevakt::testing::SeededRandom random{7};
  Receipt older = some_version(random, 1);
  older.portal = "npb";
  older.confirmed.reset();
  Receipt newer = older;
  newer.confirmed = testing::at(1);
  const auto now = world.clock.now();
  const auto one = world.store->import_receipts("t1", {older}, {}, now).value().rows;
  const auto two = world.store->import_receipts("t1", {newer}, {}, now).value().rows;
  world.restart();  // reads both; then what waited in the queue comes
  for (const auto& rows : {one, two}) {
    world.live->take({"t1", LiveArrival::Rows{rows, {}, now}});
    world.load();
  }
  check_same(world);
}

TEST_CASE("live rows: where an agent told rows too, they are the same rows") {
  LiveWorld world;
  meldevakt::testing::SeededRandom random{7};
  Receipt row = some_version(random, 1);
  row.portal = "npb";
  row.confirmed.reset();
  testing::SmallWorld told;
  told.add(row);
  world.send(world.agent, told.input.facts, -3600, 60);
  world.import("t1", {row});
  check_same(world);
  row.confirmed = testing::at(2);
  world.import("t1", {row});
  check_same(world);
}

TEST_CASE("live: a body that cannot be opened says that nothing was read, as the store says") {
  LiveWorld world;
  testing::SmallWorld told;
  told.acknowledged(0);
  world.send(world.agent, told.input.facts, -3600, 0.5);
  // Signed and hashed rightly, but its JSON is none of ours: a commit may stand in it.
  world.take(world.agent, testing::frame_of(world.agent, "{}", 1, 0.5, 60));
  world.pass(minutes(10));
  CHECK(world.concluded("t1") == world.rebuilt("t1"));
  CHECK(world.concluded("t1").find(R"("verdict":"unverifiable")") != std::string::npos);
}

TEST_CASE("live: rows that cannot be opened are in no list, as the store says") {
  LiveWorld world;
  testing::FakeAgent folder{'c', "t1"};
  REQUIRE(testing::admit(*world.store, folder));
  world.send(world.agent, {}, -3600, 60);
  testing::SmallWorld list;
  const ReceiptCoverage whole{"npb", {testing::kStart - days(40), testing::kStart - days(1)}};
  list.add(whole);
  const auto known = [&] {
    std::vector<Alarm> alarms;
    return world.store->tenant_input("t1", alarms).value().receipt_coverage.size();
  };
  for (const bool opened : {false, true}) {
    CAPTURE(opened);
    world.take(folder, opened ? testing::frame_of(folder, {}, 0, 60)
                              : testing::frame_of(folder, "{}", 1, 0, 60));
    world.send(folder, list.input.facts, 60, 120);
    check_same(world);
    CHECK(known() == 0);  // what was lost once is not told again
  }
  world.import("t1", {}, whole);
  CHECK(known() == 1);
  world.restart();
  world.send(folder, list.input.facts, 60, 120);
  check_same(world);
  CHECK(known() == 1);
}

}  // namespace
}  // namespace meldevakt::collector
