#include "collector/app/live_correlation.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/collector/app/live_world.h"
#include "tests/unit/collector/correlate/random_world.h"

namespace meldevakt::collector {
namespace {

using testing::at;
using testing::LiveWorld;
using testing::lost_message;
using testing::portal_id;
using testing::SmallWorld;
using Texts = std::vector<std::string>;

bool begins(const std::string& text, const std::string& with) {
  return text.rfind(with, 0) == 0;
}

std::vector<LedgerFact> late_commit(std::uint64_t m = 1) {
  SmallWorld world;
  world.facts = m * 10 + 5;
  world.committed(120, m);
  return world.input.facts;
}

TEST_CASE("live: a loss is told within the grace, once, and again when it is stored after all") {
  LiveWorld world;
  world.send(world.agent, lost_message(), -3600, 60);
  CHECK(world.findings() == Texts{});  // still inside the grace
  world.pass(seconds(25));
  const Texts lost = world.findings();
  REQUIRE(lost.size() == 1);
  CHECK(begins(lost[0], "WARN t1 message=" + portal_id(1) + " verdict=lost category=B"));
  world.pass(hours(2));
  world.send(world.agent, lost_message(2), 60, 7000);
  const Texts second = world.findings();
  REQUIRE(second.size() == 1);
  CHECK(second[0].find(portal_id(2)) != std::string::npos);
  // A commit of the first was only read now: what was told is taken back, and the fault behind it
  // is told.
  world.send(world.agent, late_commit(), 7000, 7200);
  const Texts stored = world.findings();
  REQUIRE(stored.size() == 2);
  CHECK(begins(stored[0],
               "INFO t1 message=" + portal_id(1) + " verdict=stored_after_receipt before=lost"));
  CHECK(begins(stored[1],
               "WARN t1 latent_fault: the case system receipts messages before it has"
               " stored them messages=1"));
  CHECK(world.concluded("t1") == world.rebuilt("t1"));
}

TEST_CASE("live: a restart tells nothing twice, and what happened meanwhile") {
  LiveWorld world;
  world.send(world.agent, lost_message(1), -3600, 60);
  world.pass(minutes(5));
  CHECK(world.findings().size() == 1);
  world.restart();
  world.pass(minutes(5));
  CHECK(world.findings() == Texts{});
  // Stored while nobody concluded.
  const VerifiedFrame frame = testing::frame_of(world.agent, lost_message(2), 60, 120);
  REQUIRE(world.store->store_frame(frame, world.clock.now()));
  world.restart();
  CHECK(world.findings().size() == 1);
  world.restart();
  CHECK(world.findings() == Texts{});
  const VerifiedFrame late = testing::frame_of(world.agent, late_commit(2), 120, 240);
  REQUIRE(world.store->store_frame(late, world.clock.now()));
  world.restart();
  const Texts stored = world.findings();
  REQUIRE(stored.size() == 2);
  CHECK(stored[0].find("verdict=stored_after_receipt before=lost") != std::string::npos);
  world.restart();
  CHECK(world.findings() == Texts{});
}

TEST_CASE("live: what cannot be verified is told when its purge is urgent, and not before") {
  LiveWorld world;
  SmallWorld facts;
  facts.acknowledged(0);
  world.send(world.agent, facts.input.facts, 3600, 7200);  // the trace around it was not read
  world.import("t1", {facts.row(1, at(-5), at(0))});
  world.pass(days(10));
  CHECK(world.findings() == Texts{});
  world.restart();                                     // the time to look again is found anew
  const Instant purged = at(0) + days(30) - hours(1);  // clocks are put forward meanwhile
  const Instant urgent = purged - days(3);
  world.pass(urgent - world.clock.now() - seconds(1));
  CHECK(world.findings() == Texts{});
  world.pass(seconds(2));
  const Texts told = world.findings();
  REQUIRE(told.size() == 1);
  CHECK(begins(told[0], "WARN t1 message=" + portal_id(1) + " verdict=unverifiable "));
  CHECK(told[0].find("purge_deadline=" + to_rfc3339(purged)) != std::string::npos);
  world.pass(days(5));  // the portal has purged it: nothing new to be done
  CHECK(world.findings() == Texts{});
}

TEST_CASE("live: a refused message is told when nobody knows whether its letter went") {
  LiveWorld world;
  SmallWorld facts;
  facts.rejected(0);
  world.send(world.agent, facts.input.facts, -3600, 60);
  world.pass(days(5) - minutes(1));
  CHECK(world.findings() == Texts{});
  world.pass(minutes(2));
  const Texts told = world.findings();
  REQUIRE(told.size() == 1);
  CHECK(begins(told[0], "WARN t1 message=" + portal_id(1) + " verdict=unverifiable "));
  CHECK(told[0].find(" cause=posting_unknown") != std::string::npos);
  Receipt row = facts.row(1, at(-5), at(86'400));
  row.channel = kPrintChannel;
  world.import("t1", {row});
  const Texts posted = world.findings();
  REQUIRE(posted.size() == 1);
  CHECK(begins(posted[0],
               "INFO t1 message=" + portal_id(1) + " verdict=fallback before=unverifiable "));
}

// A message that is receipted before it is stored: the fault is told.
void tell_latent_fault(LiveWorld& world) {
  SmallWorld facts;
  facts.acknowledged(0);
  facts.committed(1);
  world.send(world.agent, facts.input.facts, -3600, 60);
  CHECK(world.findings().size() == 1);
}

TEST_CASE("live: the latent fault is told from its first message, and when it is over") {
  LiveWorld world;
  tell_latent_fault(world);
  world.restart();
  CHECK(world.findings() == Texts{});
  SmallWorld sound;
  sound.facts = 100;
  for (std::uint64_t m = 2; m < 2 + kSoundMessages; ++m) {
    sound.committed(static_cast<double>(m), m);
    sound.acknowledged(static_cast<double>(m) + 0.5, m);
  }
  world.send(world.agent, sound.input.facts, 60, 120);
  const Texts over = world.findings();
  REQUIRE(over.size() == 1);
  CHECK(begins(over[0], "INFO t1 latent_fault is over"));
  world.restart();
  CHECK(world.findings() == Texts{});
}

TEST_CASE("live: that a product was corrected is heard of at once") {
  LiveWorld world;
  tell_latent_fault(world);
  REQUIRE(world.store->add_registry_entries(
      "t1", {{EntryKind::kPatch, "fixed", "", {at(2), kAlways.to}}}, world.clock.now()));
  world.live->registered();
  const Texts over = world.findings();
  REQUIRE(over.size() == 1);
  CHECK(over[0].find("latent_fault is over") != std::string::npos);
}

TEST_CASE("live: a server that was replaced keeps no loss waiting once the register says so") {
  LiveWorld world;
  testing::FakeAgent replaced{'c', "t1"};
  REQUIRE(testing::admit(*world.store, replaced));
  world.send(replaced, {}, -3600, -50);
  world.send(world.agent, testing::lost_message(), -3600, 60);
  world.pass(minutes(10));
  CHECK(world.findings() == Texts{});  // a commit may stand in a log that is not read
  REQUIRE(world.store->add_registry_entries(
      "t1", {{EntryKind::kUnused, replaced.id(), "", {at(-50), kAlways.to}}}, world.clock.now()));
  world.live->registered();
  const Texts told = world.findings();
  REQUIRE(told.size() == 1);
  CHECK(told[0].find("verdict=lost") != std::string::npos);
}

TEST_CASE("live: what the register says of a later time is heard of when it comes") {
  LiveWorld world;
  tell_latent_fault(world);
  const Instant fixed = world.clock.now() + minutes(90);
  REQUIRE(world.store->add_registry_entries(
      "t1", {{EntryKind::kPatch, "fixed", "", {fixed, kAlways.to}}}, world.clock.now()));
  world.live->registered();
  world.pass(minutes(89));
  CHECK(world.findings() == Texts{});
  world.pass(minutes(2));
  const Texts over = world.findings();
  REQUIRE(over.size() == 1);
  CHECK(over[0].find("latent_fault is over") != std::string::npos);
}

TEST_CASE("live: memory is bounded, and what was dropped is met again in time") {
  LiveWorld world{1};  // room for one tenant, the one that is used
  world.send(world.agent, lost_message(1), -3600, 5);
  CHECK(world.live->find("t1") != nullptr);
  world.send(world.other, lost_message(7), -3600, 5);
  CHECK(world.live->find("t1") == nullptr);
  CHECK(world.live->in_memory() == 1);
  // Failures are not covered to the end of the grace, so both wait; both are looked at in time.
  world.send(world.agent, {}, 5, 3000);
  world.send(world.other, {}, 5, 3000);
  world.pass(minutes(1));
  CHECK(world.findings().size() == 2);
  CHECK(world.live->in_memory() == 1);
  LiveWorld roomy;
  roomy.send(roomy.agent, lost_message(1), -3600, 60);
  roomy.pass(LiveCorrelation::kIdleAfter + minutes(1));
  CHECK(roomy.live->in_memory() == 0);
  CHECK(roomy.findings().size() == 1);
  roomy.send(roomy.agent, late_commit(1), 60, 240);
  CHECK(roomy.findings().size() == 2);
}

TEST_CASE("live: what waits together is decided once") {
  LiveWorld world;
  world.clock.advance(seconds(50));
  world.send(world.agent, {}, -3600, 5);
  const auto put = [&](const std::vector<LedgerFact>& facts, double from, double to, bool more) {
    const VerifiedFrame frame = testing::frame_of(world.agent, facts, from, to);
    REQUIRE(world.store->store_frame(frame, world.clock.now()));
    world.live->take({"t1", LiveArrival::Frame{frame, world.clock.now()}}, more);
  };
  put(lost_message(1), 5, 60, true);
  put(late_commit(1), 60, 240, true);
  CHECK(world.live->idle_for() == Duration{});
  CHECK(world.findings() == Texts{});
  world.live->settle_due();
  CHECK(world.live->find("t1")->correlator().decisions() == 1);
  const Texts told = world.findings();
  REQUIRE(told.size() == 1);  // never a loss
  CHECK(told[0].find("latent_fault") != std::string::npos);
  CHECK(world.concluded("t1") == world.rebuilt("t1"));
}

TEST_CASE("live: rows that change are taken as the store keeps them") {
  LiveWorld world;
  SmallWorld facts;
  facts.committed(1);
  world.send(world.agent, facts.input.facts, -3600, 3600);
  Receipt row = facts.row(1, at(-5), std::nullopt);
  const ReceiptCoverage all{"npb", {at(-100), at(100)}};
  world.import("t1", {row}, all);
  CHECK(world.concluded("t1") == world.rebuilt("t1"));
  row.confirmed = at(0);
  world.import("t1", {row}, all);
  CHECK(world.concluded("t1") == world.rebuilt("t1"));
  row.sent = at(-50);
  world.import("t1", {row}, all);
  CHECK(world.concluded("t1") == world.rebuilt("t1"));
  world.import("t1", {row}, all);
  CHECK(world.concluded("t1") == world.rebuilt("t1"));
}

TEST_CASE("live: a tenant without an agent is nobody's business yet") {
  LiveWorld world;
  REQUIRE(world.store->add_tenant({"t3", "Kommune t3", "", testing::kStart}));
  SmallWorld rows;
  rows.row(1, at(-5), at(0));
  world.import("t3", rows.input.receipts);
  CHECK(world.live->find("t3") == nullptr);
}

TEST_CASE("live: after any arrivals it says what a rebuild of the store says") {
  const std::uint64_t seed = testing::seed_of_this_run();
  CAPTURE(seed);
  for (std::uint64_t i = 0; i < 20; ++i) {
    CAPTURE(i);
    meldevakt::testing::SeededRandom random{seed + i};
    LiveWorld world;
    SmallWorld facts;
    for (int step = 0; step < 12; ++step) testing::add_random_step(facts, random, 4);
    double read = -20;
    while (!facts.input.facts.empty()) {
      std::vector<LedgerFact> some;
      for (std::uint64_t n = 1 + random.below(3); n > 0 && !facts.input.facts.empty(); --n) {
        some.push_back(facts.input.facts.back());
        facts.input.facts.pop_back();
      }
      std::sort(some.begin(), some.end(),
                [](const auto& a, const auto& b) { return a.fact.id < b.fact.id; });
      some.erase(std::unique(some.begin(), some.end(),
                             [](const auto& a, const auto& b) { return a.fact.id == b.fact.id; }),
                 some.end());
      const double to = read + static_cast<double>(1 + random.below(10));
      world.send(world.agent, some, read, to);
      read = to;
      if (random.below(3) == 0) world.pass(seconds(static_cast<std::int64_t>(random.below(40))));
      if (random.below(8) == 0) world.restart();
      if (random.below(4) == 0) {
        SmallWorld rows;
        rows.row(1 + random.below(4), at(-3), at(static_cast<double>(random.below(9))));
        world.import("t1", rows.input.receipts);
      }
      REQUIRE(world.concluded("t1") == world.rebuilt("t1"));
    }
  }
}

TEST_CASE("live: what is given to a program names nobody and says enough") {
  LiveWorld world;
  world.send(world.agent, lost_message(), -3600, 60);
  world.pass(minutes(1));
  const auto waiting = world.told->waiting();
  REQUIRE(waiting);
  REQUIRE(waiting.value());
  const auto json = nlohmann::json::parse(waiting.value()->json);
  CHECK(json["kind"] == "message");
  CHECK(json["tenant"] == "t1");
  CHECK(json["name"] == "Kommune t1");
  CHECK(json["state"] == "lost");
  CHECK(json["before"] == nullptr);
  CHECK(json["needs_action"] == true);
  CHECK(json["message"] == portal_id(1));
  CHECK(json["cause"] == "pg/55P03");
  CHECK(json["receipted"] == to_rfc3339(at(0)));
  CHECK(waiting.value()->json.find('\n') == std::string::npos);
  REQUIRE(world.told->given(waiting.value()->number));
  CHECK_FALSE(world.told->waiting().value());
}

TEST_CASE("told: what waits for the program survives a restart; the number is bounded") {
  LiveWorld world;
  std::vector<LiveFinding> many;
  for (std::uint64_t n = 0; n < ToldRegister::kWaitingMax + 2; ++n) {
    LiveFinding one;
    one.tenant = "t1";
    one.message = portal_id(n);
    one.told = {"lost", true};
    one.json = "{\"n\":" + std::to_string(n) + "}";
    many.push_back(std::move(one));
  }
  CHECK(world.told->add(many, world.clock.now()).value() == 2);
  world.restart();
  CHECK(world.told->waiting().value()->json == "{\"n\":0}");
  CHECK(world.told->of("t1").value().size() == many.size());
  world.for_program = false;  // nobody is configured any more
  world.restart();
  CHECK_FALSE(world.told->waiting().value());
}

}  // namespace
}  // namespace meldevakt::collector
