// What people decide of incidents, and what comes after it: losses that nobody knew of, and time.
#include <doctest/doctest.h>

#include <algorithm>
#include <utility>

#include "tests/unit/collector/app/told_world.h"

namespace meldevakt::collector {
namespace {

using testing::holds;
using testing::kLost;
using testing::kNext;
using testing::kStart;
using testing::time_of;
using World = testing::ToldWorld;

TEST_CASE("tell notified: ends the 72 hours and no other clock; closing ends none of them") {
  World world;
  const std::string id = world.incident_of(kLost);
  const auto beside = [&] {
    const View seen = world.view();
    const auto at = std::find_if(seen.incidents.begin(), seen.incidents.end(),
                                 [&](const Incident& incident) { return incident.id == id; });
    REQUIRE(at != seen.incidents.end());
    return std::pair{*at, beside_of(seen).of(*at)};
  };
  TellOptions aware;
  aware.incidents = {id};
  aware.when = time_of(kStart + hours(3));
  REQUIRE(world.tell(tell_aware, aware));
  TellOptions early = aware;  // somebody knows of it since an hour later
  early.when = time_of(kStart + hours(2));
  CHECK(holds(world.refused(tell_notified, early), "nobody notified before"));
  TellOptions close;
  close.incidents = {id};
  REQUIRE(world.tell(tell_close, close));
  CHECK(beside().first.closed_by_person);
  REQUIRE(beside().second.clocks.size() == 1);
  CHECK(beside().second.clocks[0].kind == ClockKind::kNotify);
  CHECK(beside().second.level == ClockLevel::kNotice);
  CHECK(level_of(world.view()) == ClockLevel::kNotice);
  world.clock.advance(days(4));
  CHECK(level_of(world.view()) == ClockLevel::kOver);
  TellOptions notified = aware;
  notified.when = time_of(kStart + hours(20));
  notified.reference = "24/01234-2";
  CHECK(world.tell(tell_notified, notified).value() == 2);
  CHECK(beside().second.clocks.empty());
  CHECK_FALSE(beside().second.level);
  CHECK(beside().first.notified == kStart + hours(20));
  CHECK(level_of(world.view()) != ClockLevel::kOver);
  REQUIRE(world.tell(tell_reopen, close));
  CHECK(beside().second.clocks.size() == 3);  // all but the 72 hours
  const auto told = list_told(world.config, *world.zone, world.options(false)).value().text;
  CHECK(holds(told, "30.01.2023 10:46:40, reference 24/01234-2"));
  TellOptions back;
  back.entry = "2";
  REQUIRE(world.tell(tell_back, back));
  CHECK(beside().second.clocks.size() == 4);
}

// One more message, receipted where the log has a hole of ten minutes; then what stood in the hole.
struct HoleWorld : World {
  static constexpr const char* kUnclear = "11111111-0000-4000-8000-000000000005";
  HoleWorld() {
    clock.advance(hours(1));
    read({{kUnclear, hole.from + seconds(59), hole.from + seconds(60), {}, {}}},
         {hole.to, clock.now()});
  }
  void read(const std::vector<testing::Life>& lives, Interval complete) {
    const auto frame = testing::frame_of(agent, lives, {agent.head().until, clock.now()}, complete);
    REQUIRE(store->store_frame(frame, clock.now()));
  }
  void fill() {
    clock.advance(hours(1));
    read({testing::lost(kUnclear, hole.from + seconds(59))}, hole);
  }
  Incident its_incident() {
    for (Incident& incident : view().incidents) {
      if (incident.messages == std::vector<std::string>{kUnclear}) return std::move(incident);
    }
    return {};
  }
  Interval hole{clock.now(), clock.now() + minutes(10)};
};

TEST_CASE("tell close: holds while nothing of it is worse than what was seen when it was told") {
  HoleWorld world;
  REQUIRE(world.verdict(HoleWorld::kUnclear) == Verdict::kUnverifiable);
  TellOptions close;
  close.incidents = {world.its_incident().id};
  close.note = "loggen manglar";
  REQUIRE(world.tell(tell_close, close));
  CHECK(world.its_incident().closed_by_person);
  CHECK(open_incidents(world.view()) == 2);
  world.fill();
  REQUIRE(world.verdict(HoleWorld::kUnclear) == Verdict::kLost);
  const Incident again = world.its_incident();
  CHECK(again.open);
  CHECK_FALSE(again.closed_by_person);
  CHECK(open_incidents(world.view()) == 3);
  CAPTURE(again.reason);
  CHECK(holds(again.reason, "(loggen manglar); open again: " + std::string{HoleWorld::kUnclear} +
                                " is lost now, and was unverifiable when it was closed."));
  const View seen = world.view();
  const IncidentBeside beside = beside_of(seen).of(again);
  CHECK(beside.level == ClockLevel::kNotice);
  REQUIRE(beside.clocks.size() == 3);
  // Told once more by somebody who sees the loss, it is closed.
  close.incidents = {again.id};
  REQUIRE(world.tell(tell_close, close));
  CHECK(world.its_incident().closed_by_person);
}

TEST_CASE("incidents: whom to call stands below them, and a bydel has the number that logs use") {
  World world;
  const std::string tenant = world.view().tenant.id;
  const auto listed = [&](bool json) {
    return list_incidents(world.config, *world.zone, world.options(json)).value().text;
  };
  CHECK_FALSE(holds(listed(false), "CONTACT"));
  const Interval past{kStart - days(9), kStart - days(1)};
  REQUIRE(world.store->add_registry_entries(
      tenant,
      {{EntryKind::kContact, "dpo", "Ola Prøve, personvernombud@prove.example", kAlways},
       {EntryKind::kContact, "it", "Kari Før", past},
       {EntryKind::kDistrictId, "b2f6a0c4", "0301/03", kAlways}},
      kStart));
  CHECK(holds(listed(false), ": dpo Ola Prøve, personvernombud@prove.example\n"));
  CHECK(holds(listed(true),
              R"({"contacts":[{"tenant":")" + tenant +
                  R"(","role":"dpo","who":"Ola Prøve, personvernombud@prove.example"}]})"));
  CHECK_FALSE(holds(listed(true), "Kari Før"));
  Receipt row;
  row.portal = "npb";
  row.message_id = kNext;
  row.sent = kStart;
  row.district = "b2f6a0c4";
  REQUIRE(world.store->import_receipts(tenant, {row}, {}, world.clock.now()));
  const View seen = world.view();
  const auto at = std::find_if(seen.correlation.messages.begin(), seen.correlation.messages.end(),
                               [](const MessageVerdict& m) { return m.message == kNext; });
  REQUIRE(at != seen.correlation.messages.end());
  CHECK(at->district == "03");
}

}  // namespace
}  // namespace meldevakt::collector
