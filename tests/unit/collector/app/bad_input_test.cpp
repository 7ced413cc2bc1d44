// What comes badly, through the store to what is said: each has a defined outcome, and is seen.
#include <doctest/doctest.h>

#include "collector/app/clock_watch.h"
#include "collector/app/control.h"
#include "collector/app/inspect.h"
#include "collector/app/view.h"
#include "collector/store/sqlite_store.h"
#include "common/testing/doubles.h"
#include "common/testing/fault_vfs.h"
#include "tests/unit/collector/fake_agent.h"

namespace meldevakt::collector {
namespace {

using testing::kStart;

constexpr const char* kMessage = "11111111-0000-4000-8000-000000000001";

struct World {
  World() {
    REQUIRE(testing::admit(*store, agent));
    tenant = store->tenants().value().front();
  }
  View view() {
    auto seen = view_of(*store, config, tenant, {clock.now(), zone.get()});
    REQUIRE_MESSAGE(seen, (seen ? "" : seen.error().message()));
    View out = std::move(seen).value();
    std::erase_if(out.alarms, [](const Alarm& alarm) { return alarm.kind == "control_missed"; });
    return out;
  }
  void import(const Receipt& row) {
    REQUIRE(store->import_receipts("t1", {row}, std::nullopt, clock.now()));
  }

  meldevakt::testing::FaultVfs disk{"bad-test"};
  meldevakt::testing::ManualClock clock{kStart + hours(1)};
  meldevakt::testing::SeededRandom random{1};
  meldevakt::testing::RuleTimeZones zones;
  std::shared_ptr<const TimeZone> zone = zones.find("Europe/Oslo").value();
  Config config;
  std::unique_ptr<SqliteStore> store =
      SqliteStore::open({"collector.db", "bad-test", false, nullptr, testing::random_bytes()})
          .value();
  testing::FakeAgent agent{'a', "t1"};
  Tenant tenant;
};

Receipt row(Instant sent, Instant confirmed, FormType form = FormType::kPrivate) {
  Receipt out;
  out.portal = "npb";
  out.message_id = kMessage;
  out.sent = sent;
  out.confirmed = confirmed;
  out.form = form;
  out.channel = "case_system";
  return out;
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("receipts for an unknown municipality are refused, and kept for nobody else") {
  World world;
  ControlActions actions{*world.store, world.clock, world.random,
                         std::string("https://k.example:8443")};
  const ControlCall call = [&](const std::string& line) -> Result<std::string> {
    return actions.handle(line);
  };
  const auto refused = call_import(call, "Komune t1", {row(kStart, kStart)}, std::nullopt);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::kInvalid);
  CHECK(holds(refused.error().message(), "did you mean 'Kommune t1'?"));
  CHECK(world.view().correlation.messages.empty());
}

TEST_CASE(
    "rows that contradict each other: the earliest receipt and the newest word, and it is said") {
  World world;
  world.import(row(kStart, kStart + seconds(5)));
  CHECK(world.view().conflicts.empty());
  world.import(row(kStart, kStart + seconds(9), FormType::kPublic));
  const View seen = world.view();
  REQUIRE(seen.correlation.messages.size() == 1);
  const MessageVerdict& message = seen.correlation.messages.front();
  CHECK(message.form == FormType::kPublic);
  CHECK(message.receipted == kStart + seconds(5));
  REQUIRE(seen.conflicts.size() == 1);
  CHECK(seen.conflicts[0].fields == std::vector<std::string>{"confirmed", "form"});
  CHECK(beside_of(seen).of(message).contradictions == seen.conflicts[0].fields);
  CHECK(holds(message_json(message, "t1", beside_of(seen).of(message)),
              R"("contradictions":["confirmed","form"])"));
}

TEST_CASE("two messages with one id are one message, and it is said that they may be two") {
  World world;
  world.import(row(kStart, kStart + seconds(5)));
  world.import(row(kStart + minutes(20), kStart + minutes(21)));
  const View seen = world.view();
  REQUIRE(seen.correlation.messages.size() == 1);
  const MessageBeside beside = beside_of(seen).of(seen.correlation.messages.front());
  CHECK(beside.contradictions == std::vector<std::string>{"sent", "confirmed"});
  CHECK(holds(messages_text({{seen.correlation.messages.front(), beside}}, *world.zone),
              "or two messages have this id"));
}

TEST_CASE("a time in the future: the message waits until then, and an alarm says so meanwhile") {
  World world;
  const Instant later = world.clock.now() + days(3);
  world.import(row(later, later + seconds(5)));
  View seen = world.view();
  CHECK(seen.correlation.messages.front().verdict == Verdict::kPending);
  REQUIRE(seen.alarms.size() == 1);
  CHECK(seen.alarms[0].kind == "future_time");
  CHECK(holds(seen.alarms[0].detail, kMessage));
  CHECK(is_open(seen));
  // Not for a time that was merely asked about; and over when the time has come.
  CHECK(view_of(*world.store, world.config, world.tenant, {world.clock.now(), nullptr})
            .value()
            .alarms.empty());
  world.clock.advance(days(3) + hours(1));
  seen = world.view();
  CHECK(seen.alarms.empty());
  CHECK(seen.correlation.messages.front().verdict == Verdict::kUnverifiable);
}

TEST_CASE("a clock that runs a day wrong, before or behind, is an alarm until it is right") {
  struct Case {
    Duration received;  // after kStart, of a statement that ends a second after it
    std::string_view kind;
  };
  for (const Case& c : std::vector<Case>{{days(1), "clock_behind"},
                                         {Duration{} - days(1), "clock_ahead"},
                                         {hours(11), ""},
                                         {Duration{} - minutes(9), ""}}) {
    CAPTURE(c.kind);
    World world;
    REQUIRE(world.store->store_frame(world.agent.next("one"), kStart + c.received));
    const View seen = world.view();
    CHECK(seen.alarms.size() == (c.kind.empty() ? 0 : 1));
    for (const Alarm& alarm : seen.alarms) {
      CHECK(alarm.kind == c.kind);
      CHECK(alarm.agent == world.agent.id());
    }
    REQUIRE(world.store->store_frame(world.agent.next("two"), kStart + seconds(3)));
    CHECK(world.view().alarms.empty());
  }
}

TEST_CASE(
    "a wrong clock is kept in the log: stored while it is wrong, once, and closed afterwards") {
  World world;
  ClockWatch watch{*world.store};
  CHECK(watch.look(kStart).wrong.empty());
  REQUIRE(world.store->store_frame(world.agent.next("one"), kStart + days(1)));
  const ClockWatch::Looked first = watch.look(kStart + days(1));
  CHECK(first.done);
  REQUIRE(first.wrong.size() == 1);
  CHECK(first.wrong[0].kind == kClockBehind);
  CHECK(watch.look(kStart + days(1) + minutes(1)).wrong.empty());
  CHECK(ClockWatch{*world.store}.look(kStart + days(1) + minutes(2)).wrong.empty());  // restarted
  CHECK(world.view().alarms.size() == 1);  // not once more beside the stored one
  REQUIRE(world.store->store_frame(world.agent.next("two"), kStart + seconds(3)));
  const Instant right = kStart + days(1) + minutes(3);
  CHECK(watch.look(right).wrong.empty());
  CHECK(world.view().alarms.empty());
  const std::vector<Alarm> kept = world.store->alarms(world.tenant.id).value();
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].closed == right);
  // From behind to ahead: one ends, the other begins.
  REQUIRE(world.store->store_frame(world.agent.next("three"), kStart - days(1)));
  const ClockWatch::Looked ahead = watch.look(right + minutes(1));
  REQUIRE(ahead.wrong.size() == 1);
  CHECK(ahead.wrong[0].kind == kClockAhead);
  // Nothing is expected of one that is not used; and it is found again when that was wrong.
  const Instant unused = right + minutes(2);
  const auto say = [&](Interval span) {
    REQUIRE(world.store->add_registry_entries(
        world.tenant.id, {{EntryKind::kUnused, world.agent.id(), "", span}}, unused));
  };
  say({unused, kAlways.to});
  CHECK(watch.look(unused).wrong.empty());
  say({unused, unused});
  CHECK(watch.look(unused + minutes(1)).wrong.size() == 1);
  CHECK(watch.look(unused + minutes(2)).wrong.empty());
  CHECK(world.store->check_store(OpenSslVerifier{}));
}

TEST_CASE("a municipality that merged on 1 January is counted where it went, and loses nothing") {
  World world;
  const Instant merged{1'704'063'600'000};  // 2024-01-01 00:00 in Oslo
  REQUIRE(world.store->add_registry_entries(
      "t1",
      {{EntryKind::kMunicipality, "1505", "1508", {kAlways.from, merged}},
       {EntryKind::kMunicipality, "1508", "", {merged, kAlways.to}}},
      kStart));
  world.import(row(kStart, kStart + seconds(5)));
  const View seen = world.view();
  const FleetRow before = fleet_row_of(seen, {kStart - days(1), kStart + days(1)});
  const FleetRow after = fleet_row_of(seen, {kStart - days(1), merged + days(1)});
  CHECK(municipalities_of(before) == std::vector<std::string>{"1505"});
  CHECK(municipalities_of(after) == std::vector<std::string>{"1508"});
  CHECK(before.answer.undecided == 1);
  CHECK(after.answer.undecided == 1);
  CHECK(total({after}).uses == 1);
}

TEST_CASE("a municipality that another tenant goes on with is counted once") {
  World world;
  const Instant merged = kStart + days(10);
  REQUIRE(world.store->add_registry_entries(
      "t1", {{EntryKind::kMunicipality, "1504", "1505", {kAlways.from, merged}}}, kStart));
  const Interval asked{kStart, kStart + days(40)};
  FleetRow mine = fleet_row_of(world.view(), asked);
  REQUIRE(municipalities_of(mine) == std::vector<std::string>{"1505"});
  // The other one's register knows that this one merged, too, with a third; and is its own end.
  FleetRow theirs;
  theirs.mergers = {{"1505", "1508"}, {"1508", "1508"}, {"1600", "1601"}, {"1601", "1600"}};
  theirs.members = {{{"1508", "1600"}, {Answer::kAffected, 2, 0, 0, "2 messages"}, asked}};
  CHECK(total({mine, theirs}).uses == 3);
  std::vector<FleetRow> rows{mine, theirs};
  follow_mergers(rows);
  CHECK(municipalities_of(rows[0]) == std::vector<std::string>{"1508"});
  CHECK(total(rows) == FleetTotals{2, 2, 0, 0, 0});
  // Not yet when the report ends.
  CHECK(fleet_row_of(world.view(), {kStart, merged - days(1)}).mergers.empty());
}

TEST_CASE("what the register says of its times takes no loss away, and counts nobody twice") {
  World world;
  const Instant merged = kStart + days(10);
  const auto entries = [&](const std::vector<RegistryEntry>& added) {
    REQUIRE(world.store->add_registry_entries("t1", added, kStart));
  };
  entries({{EntryKind::kMunicipality, "1505", "1508", {kAlways.from, merged}},
           {EntryKind::kPortal, "npb", "", {kAlways.from, kStart + days(5)}}});
  View view = world.view();
  const Interval asked{kStart, kStart + days(20)};
  // It left the portal before the merger: named as of the end of what is asked.
  CHECK(municipalities_of(fleet_row_of(view, asked)) == std::vector<std::string>{"1508"});
  CHECK(fleet_row_of(view, asked).asked == Interval{kStart, kStart + days(5)});
  // After it: nobody uses a portal.
  const Interval later{kStart + days(6), kStart + days(20)};
  CHECK(fleet_row_of(view, later).answer.answer == Answer::kNotUsing);
  CHECK(total({fleet_row_of(view, later)}) == FleetTotals{});
  // But for what was lost all the same.
  MessageVerdict lost;
  lost.message = "m";
  lost.verdict = Verdict::kLost;
  lost.receipted = kStart + days(7);
  view.correlation.messages.push_back(lost);
  const FleetRow row = fleet_row_of(view, later);
  CHECK(row.answer.answer == Answer::kAffected);
  CHECK(row.answer.reason.find("when it used no portal") != std::string::npos);
  CHECK(total({row}) == FleetTotals{1, 1, 0, 0, 1});
  // Lost while nobody was served: of those that were served last.
  entries({{EntryKind::kPortal, "npb", "", kAlways},
           {EntryKind::kMunicipality, "1505", "1508", {kAlways.from, kStart + days(6)}},
           {EntryKind::kMunicipality, "1508", "", {merged, kAlways.to}}});
  View gap = world.view();
  gap.correlation.messages.push_back(lost);
  const FleetRow between = fleet_row_of(gap, asked);
  CHECK(between.answer.lost == 1);
  CHECK(total({between}) == FleetTotals{1, 1, 0, 0, 1});
}

}  // namespace
}  // namespace meldevakt::collector
