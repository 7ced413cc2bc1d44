#include "collector/app/standing_control.h"

#include <doctest/doctest.h>

#include "collector/app/control_watch.h"
#include "collector/app/view.h"
#include "collector/store/sqlite_store.h"
#include "common/testing/doubles.h"
#include "common/testing/fault_vfs.h"
#include "tests/unit/collector/fake_agent.h"

namespace meldevakt::collector {
namespace {

using testing::kStart;

struct World {
  World() {
    REQUIRE(testing::admit(*store, agent));
    tenant = store->tenants().value().front();
  }
  std::unique_ptr<StandingControl> control() {
    return std::make_unique<StandingControl>(StandingControl::Parts{
        *store, config, clock, signer_from_seed(std::string(32, 'k')).value(), zone, "0.1.0"});
  }
  std::vector<Alarm> alarms() {
    const auto view = view_of(*store, config, tenant, {clock.now(), zone.get()});
    REQUIRE(view);
    return view.value().alarms;
  }
  std::vector<CheckedControl> checked() {
    return check_controls(store->controls(tenant.id, 100).value(), true,
                          signer_from_seed(std::string(32, 'k')).value()->public_key(),
                          OpenSslVerifier{});
  }

  meldevakt::testing::FaultVfs disk{"standing-test"};
  meldevakt::testing::ManualClock clock{kStart};
  meldevakt::testing::RuleTimeZones zones;
  std::shared_ptr<const TimeZone> zone = zones.find("Europe/Oslo").value();
  Config config;
  std::unique_ptr<SqliteStore> store =
      SqliteStore::open({"collector.db", "standing-test", false, nullptr, testing::random_bytes()})
          .value();
  testing::FakeAgent agent{'a', "t1"};
  Tenant tenant;
};

TEST_CASE("standing control: once a day, and never twice") {
  World world;
  const auto control = world.control();
  CHECK(control->due().tenants.empty());  // enrolled after today's time
  world.clock.advance(days(1));
  REQUIRE(control->due().tenants.size() == 1);
  const ControlRecord first = control->run(world.tenant, {}, false).value();
  CHECK(first.number == 0);
  CHECK(first.missed == 0);
  CHECK_FALSE(first.agrees);  // nothing was read
  CHECK(control->due().tenants.empty());
  // What a person asks, of whatever period, stands in for no daily one.
  world.clock.advance(days(1));
  CHECK(control->run(world.tenant, Interval{kStart, kStart + days(1)}, true).value().on_demand);
  CHECK(control->due().tenants.size() == 1);
  CHECK(control->run(world.tenant, {}, true).value().missed == 0);
  CHECK(control->due().tenants.size() == 1);
  // Two days without a server: three should have run before this one does.
  world.clock.advance(days(2));
  const ControlRecord late = control->run(world.tenant, {}, false).value();
  CHECK(late.number == 3);
  CHECK(late.missed == 2);
  CHECK(control->due().tenants.empty());
  CHECK(world.checked().size() == 4);
  for (const CheckedControl& one : world.checked()) CHECK(one.problem == "");
}

TEST_CASE("standing control: however many people asked for, the daily one is found") {
  World world;
  const auto control = world.control();
  world.clock.advance(days(1));
  REQUIRE(control->run(world.tenant, {}, false));
  for (int i = 0; i < 130; ++i) REQUIRE(control->run(world.tenant, {}, true));
  CHECK(control->due().tenants.empty());
  CHECK(world.alarms().empty());
  world.clock.advance(days(1));
  CHECK(control->run(world.tenant, {}, false).value().missed == 0);
}

TEST_CASE("standing control: one that ran while the clock was years ahead stands in for none") {
  World world;
  const auto control = world.control();
  world.clock.advance(days(400));
  REQUIRE(control->run(world.tenant, {}, false));
  CHECK(control->due().tenants.empty());
  world.clock.step_wall(days(-398));
  CHECK(control->due().tenants.size() == 1);
  CHECK_FALSE(world.alarms().empty());
}

TEST_CASE("standing control: a damaged record stands in for none and costs nothing else") {
  World world;
  StoredControl damaged;
  damaged.ran = kStart;
  damaged.envelope = "{}";
  REQUIRE(world.store->add_control(world.tenant.id, damaged));
  world.clock.advance(days(1));
  const auto control = world.control();
  REQUIRE(control->due().done);
  CHECK(control->due().tenants.size() == 1);
  CHECK(world.alarms().size() == 1);  // not that of today either
  REQUIRE(control->run(world.tenant, {}, false));
  CHECK(world.alarms().empty());
  const auto checked = world.checked();
  REQUIRE(checked.size() == 2);
  CHECK(checked[1].problem != "");
}

TEST_CASE("standing control: that it did not run is an alarm") {
  World world;
  CHECK(world.alarms().empty());
  world.clock.advance(days(1));
  const auto alarms = world.alarms();
  REQUIRE(alarms.size() == 1);
  CHECK(alarms.front().kind == "control_missed");
  CHECK(alarms.front().detail.find("none ever ran") != std::string::npos);
  REQUIRE(world.control()->run(world.tenant, {}, false));
  CHECK(world.alarms().empty());
  world.clock.advance(days(1) + hours(2));
  CHECK(world.alarms().size() == 1);
  // Not for a time that was merely asked about.
  CHECK(view_of(*world.store, world.config, world.tenant, {world.clock.now(), nullptr})
            .value()
            .alarms.empty());
}

TEST_CASE("standing control: a miss is kept in the log once, and closed when a control has run") {
  World world;
  const auto control = world.control();
  ControlWatch watch{*world.store, world.config.control.schedule, *world.zone};
  const auto stored = [&] { return world.store->alarms("t1").value(); };
  CHECK(watch.look(world.clock.now()).missed.empty());
  // Nobody served for three days: one alarm, of the last time that it should have run.
  world.clock.advance(days(3));
  const auto looked = watch.look(world.clock.now());
  CHECK(looked.done);
  REQUIRE(looked.missed.size() == 1);
  CHECK(watch.look(world.clock.now()).missed.empty());
  REQUIRE(stored().size() == 1);
  CHECK_FALSE(stored()[0].closed);
  CHECK(world.alarms().size() == 1);  // who asks is not told twice
  CHECK(world.alarms()[0].detail == stored()[0].detail);
  // Another server does not record it again.
  CHECK(ControlWatch{*world.store, world.config.control.schedule, *world.zone}
            .look(world.clock.now())
            .missed.empty());
  // What a person asks is no daily control. The daily one closes it.
  REQUIRE(control->run(world.tenant, {}, true));
  CHECK(watch.look(world.clock.now()).missed.empty());
  CHECK_FALSE(stored()[0].closed);
  REQUIRE(control->run(world.tenant, {}, false));
  std::vector<Alarm> missed;
  REQUIRE(watch.look_at("t1", world.clock.now(), missed));
  CHECK(missed.empty());
  CHECK(stored()[0].closed == world.clock.now());
  CHECK(world.alarms().empty());
  // Each miss is one of its own.
  for (int day = 0; day < 2; ++day) {
    world.clock.advance(days(1));
    CHECK(watch.look(world.clock.now()).missed.size() == 1);
  }
  CHECK(stored().size() == 3);
  REQUIRE(control->run(world.tenant, {}, false));
  CHECK(watch.look(world.clock.now()).missed.empty());
  for (const Alarm& alarm : stored()) CHECK(alarm.closed);
  CHECK(world.store->audit(OpenSslVerifier{}));
}

TEST_CASE("standing control: a miss that cannot be written is said, and written afterwards") {
  World world;
  const auto looked = [&] {
    return ControlWatch{*world.store, world.config.control.schedule, *world.zone}.look(
        world.clock.now());
  };
  world.clock.advance(days(1));
  world.disk.fail_at(0, meldevakt::testing::Fault::kIoError);
  const auto failed = looked();
  CHECK_FALSE(failed.done);
  CHECK(failed.missed.empty());
  world.disk.clear_fault();
  world.store.reset();
  world.store =
      SqliteStore::open({"collector.db", "standing-test", false, nullptr, testing::random_bytes()})
          .value();
  CHECK(looked().missed.size() == 1);
}

TEST_CASE("standing control: a record that was changed, left out or signed by another shows") {
  World world;
  const auto control = world.control();
  for (int i = 0; i < 4; ++i) {
    world.clock.advance(days(1));
    REQUIRE(control->run(world.tenant, {}, false));
  }
  const auto stored = world.store->controls("t1", 100).value();
  const std::string key = signer_from_seed(std::string(32, 'k')).value()->public_key();
  const OpenSslVerifier verifier;

  auto without_one = stored;
  without_one.erase(without_one.begin() + 1);
  CHECK(check_controls(without_one, true, key, verifier)[0].problem != "");
  CHECK(check_controls(without_one, true, key, verifier)[1].problem == "");

  // The first one is gone: it shows, unless the list was only asked for so far.
  auto beheaded = stored;
  beheaded.pop_back();
  CHECK(check_controls(beheaded, true, key, verifier).back().problem ==
        "the records before it are missing");
  CHECK(check_controls(beheaded, false, key, verifier).back().problem == "");
  for (const CheckedControl& one : check_controls(stored, true, key, verifier)) {
    CHECK(one.problem == "");
  }
  auto renumbered = stored;  // its column says another number than is signed
  renumbered.back().number = 1;
  CHECK(check_controls(renumbered, true, key, verifier).back().problem != "");

  auto swapped = stored;
  std::swap(swapped[1].envelope, swapped[2].envelope);
  CHECK(check_controls(swapped, true, key, verifier)[1].problem != "");
  CHECK(check_controls(swapped, true, key, verifier)[2].problem != "");

  const std::string other = signer_from_seed(std::string(32, 'x')).value()->public_key();
  for (const CheckedControl& one : check_controls(stored, true, other, verifier)) {
    CHECK(one.problem != "");
  }
}

TEST_CASE("standing control: a tenant with the portal's rows and no agent is controlled too") {
  World world;
  const Tenant silent{"t9", "Stille kommune", "", kStart - days(400)};
  REQUIRE(world.store->add_tenant(silent));
  const auto control = world.control();
  const auto is_due = [&] { return control->is_due(silent).value(); };
  const auto missed = [&] {
    const auto view =
        view_of(*world.store, world.config, silent, {world.clock.now(), world.zone.get()});
    REQUIRE(view);
    const std::vector<Alarm>& alarms = view.value().alarms;
    return std::any_of(alarms.begin(), alarms.end(),
                       [](const Alarm& alarm) { return alarm.kind == "control_missed"; });
  };
  CHECK_FALSE(is_due());  // nothing is known of it
  CHECK_FALSE(missed());
  Receipt row;
  row.portal = "npb";
  row.message_id = "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10";
  row.sent = kStart - days(200);  // told of long after
  row.confirmed = kStart - days(199);
  REQUIRE(world.store->import_receipts("t9", {row}, {}, kStart));
  CHECK_FALSE(is_due());  // today's time is over
  world.clock.advance(days(2));
  CHECK(is_due());
  CHECK(missed());
  const ControlRecord record = control->run(silent, {}, false).value();
  CHECK(record.missed == 1);
  CHECK_FALSE(record.agrees);
  CHECK_FALSE(is_due());
  CHECK_FALSE(missed());
}

TEST_CASE("standing control: what was imported on the first day is looked at") {
  World world;
  const Tenant fresh{"t9", "Ny kommune", "", kStart};
  REQUIRE(world.store->add_tenant(fresh));
  Receipt row;
  row.portal = "npb";
  row.message_id = "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10";
  row.sent = kStart - days(17);
  row.confirmed = kStart - days(17);
  REQUIRE(world.store->import_receipts("t9", {row}, {}, kStart));
  const ControlRecord record = world.control()->run(fresh, {}, true).value();
  CHECK(record.period.from == kStart - days(17));
  CHECK(record.receipted == 1);
}

TEST_CASE("standing control: nothing to control is no control") {
  World world;
  REQUIRE(world.store->add_tenant({"t2", "Bø", "", kStart}));
  const Tenant empty{"t2", "Bø", "", kStart};
  world.clock.advance(days(2));
  CHECK(world.control()->run(empty, {}, true).error().code() == Errc::kNotFound);
  CHECK(world.control()->due().tenants.size() == 1);  // the other tenant's
}

}  // namespace
}  // namespace meldevakt::collector
