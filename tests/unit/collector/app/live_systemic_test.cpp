#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/collector/app/live_world.h"

namespace meldevakt::collector {
namespace {

using testing::at;
using testing::LiveWorld;
using testing::lost_message;
using testing::SmallWorld;
using Texts = std::vector<std::string>;

// The log's lines since the last call that tell of systemic incidents.
Texts systemic(LiveWorld& world) {
  Texts out;
  for (const std::string& line : std::exchange(world.log, {})) {
    if (line.find("finding systemic=") != std::string::npos) out.push_back(line);
  }
  return out;
}

void add_silent_tenant(LiveWorld& world) {
  REQUIRE(world.store->add_tenant({"t3", "Tredje kommune", "", world.clock.now()}));
}

TEST_CASE(
    "live: the same cause in a second tenant is told at once, once, and who else is exposed") {
  LiveWorld world;
  add_silent_tenant(world);
  world.send(world.agent, lost_message(1), -3600, 60);
  world.pass(minutes(1));
  CHECK(systemic(world) == Texts{});  // in one tenant it is an incident like any other
  world.send(world.other, lost_message(2), -3600, 60);
  world.pass(seconds(1));
  const Texts told = systemic(world);
  REQUIRE(told.size() == 1);
  CHECK(told[0].rfind("WARN finding systemic=", 0) == 0);
  CHECK(told[0].find("cause=pg/55P03 tenants=2 messages=2") != std::string::npos);
  CHECK(told[0].find("exposed=1") != std::string::npos);
  world.pass(hours(1));
  CHECK(systemic(world) == Texts{});
  world.restart();
  CHECK(systemic(world) == Texts{});
  // What the operator's program is given: after the two losses.
  Texts given;
  while (const auto next = world.told->waiting().value()) {
    given.push_back(next->json);
    REQUIRE(world.told->given(next->number));
  }
  REQUIRE(given.size() == 3);
  const auto json = nlohmann::json::parse(given[2]);
  CHECK(json.at("kind") == "systemic");
  CHECK(json.at("state").get<std::string>().rfind("systemic_in_2/", 0) == 0);
  CHECK(json.at("needs_action") == true);
  CHECK(json.at("incident").at("tenants").size() == 2);
  CHECK(json.at("incident").at("exposed")[0].at("why").size() == 2);  // no coverage, not answered
  CHECK(json.at("incident").at("sample_next").size() == 1);
  CHECK(json.at("names").size() == 2);
}

TEST_CASE("live: what became systemic while nobody concluded is told after the start") {
  LiveWorld world;
  world.send(world.agent, lost_message(1), -3600, 60);
  const VerifiedFrame frame = testing::frame_of(world.other, lost_message(2), -3600, 60);
  REQUIRE(world.store->store_frame(frame, world.clock.now()));
  world.clock.advance(minutes(1));
  world.restart();
  CHECK(systemic(world).size() == 1);
  world.restart();
  CHECK(systemic(world) == Texts{});
}

TEST_CASE("live: another cause is another incident, and what is over is told") {
  LiveWorld world;
  world.send(world.agent, lost_message(1), -3600, 60);
  std::vector<LedgerFact> other = lost_message(2);
  std::get<StepFact>(other.back().fact.what).code = "pg/53100";
  world.send(world.other, other, -3600, 60);
  world.pass(minutes(1));
  CHECK(systemic(world) == Texts{});
  world.send(world.other, lost_message(3), 60, 120);
  world.pass(minutes(1));
  CHECK(systemic(world).size() == 1);
  // Its commit was only read now.
  SmallWorld late;
  late.facts = 90;
  late.committed(0.5, 3);
  late.committed(2, 3);
  world.send(world.other, late.input.facts, 120, 240);
  world.pass(minutes(1));
  const Texts over = systemic(world);
  REQUIRE(over.size() == 1);
  CHECK(over[0].rfind("INFO finding systemic=", 0) == 0);
  CHECK(over[0].find("is over") != std::string::npos);
  CHECK(over[0].find("before=systemic_in_2") != std::string::npos);
}

TEST_CASE("live: the latent fault in a second tenant is systemic, though nothing was lost") {
  LiveWorld world;
  for (testing::FakeAgent* agent : {&world.agent, &world.other}) {
    SmallWorld facts;
    facts.facts = agent == &world.agent ? 0 : 50;
    facts.acknowledged(0);
    facts.committed(1);
    world.send(*agent, facts.input.facts, -3600, 60);
  }
  const Texts told = systemic(world);
  REQUIRE(told.size() == 1);
  CHECK(told[0].find("cause=receipt_before_commit tenants=2 messages=2") != std::string::npos);
}

TEST_CASE("live: a clean tenant that was read throughout is not exposed, one with a hole is") {
  LiveWorld world;
  testing::FakeAgent clean{'c', "t3"};
  testing::FakeAgent holed{'d', "t4"};
  REQUIRE(admit(*world.store, clean));
  REQUIRE(admit(*world.store, holed));
  world.clock.advance(hours(1));
  world.send(clean, {}, -3600, 3600);
  world.send(holed, {}, -3600, 60);
  world.send(holed, {}, 120, 3600);
  world.send(world.agent, lost_message(1), -3600, 3600);
  world.send(world.other, lost_message(2), -3600, 3600);
  const Texts told = systemic(world);
  REQUIRE(told.size() == 1);
  CHECK(told[0].find("exposed=1") != std::string::npos);
}

TEST_CASE("live: other tenants than were told are news, as many though they are") {
  LiveWorld world;
  testing::FakeAgent third{'c', "t3"};
  REQUIRE(admit(*world.store, third));
  world.send(world.agent, lost_message(1), -3600, 60);
  world.send(world.other, lost_message(2), -3600, 60);
  world.pass(minutes(1));
  const Texts two = systemic(world);
  REQUIRE(two.size() == 1);
  CHECK(two[0].find("before=") == std::string::npos);
  world.send(third, lost_message(3), -3600, 60);
  world.pass(minutes(1));
  const Texts three = systemic(world);
  REQUIRE(three.size() == 1);
  CHECK(three[0].find("tenants=3") != std::string::npos);
  CHECK(three[0].find("before=systemic_in_2") != std::string::npos);
}

TEST_CASE(
    "live: products that turn out to be the same make a systemic incident, and others end it") {
  LiveWorld world;
  const auto says = [&world](const char* tenant, const char* product) {
    REQUIRE(world.store->add_registry_entries(tenant, {{EntryKind::kProduct, product, "", kAlways}},
                                              world.clock.now()));
    world.live->registered();
  };
  says("t1", "Fagsystem 4.1");
  says("t2", "Annet 2.0");
  world.send(world.agent, lost_message(1), -3600, 60);
  world.send(world.other, lost_message(2), -3600, 60);
  world.pass(minutes(1));
  CHECK(systemic(world) == Texts{});
  says("t2", "Fagsystem 4.1");
  CHECK(systemic(world).size() == 1);
  says("t2", "Annet 2.0");
  const Texts over = systemic(world);
  REQUIRE(over.size() == 1);
  CHECK(over[0].find("is over") != std::string::npos);
}

}  // namespace
}  // namespace meldevakt::collector
