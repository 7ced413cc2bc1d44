// What people tell, from the command's entry through the writer and the store to what is said of
// messages, incidents and the fleet.
#include "collector/app/tell_command.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "collector/app/control_tell.h"
#include "collector/app/inspect.h"
#include "collector/app/silence.h"
#include "collector/report/systemic.h"
#include "collector/store/sqlite_store.h"
#include "common/testing/doubles.h"
#include "tests/unit/collector/app/program.h"
#include "tests/unit/collector/fake_agent.h"

namespace meldevakt::collector {
namespace {

using testing::kStart;

// A message of an agent that read its log without a hole.
struct Life {
  std::string message;
  Instant received;
  std::optional<Instant> acknowledged;
  std::optional<Instant> failed;
  std::optional<Instant> committed;
};

constexpr const char* kLost = "11111111-0000-4000-8000-000000000001";
constexpr const char* kLater = "11111111-0000-4000-8000-000000000002";
constexpr const char* kStored = "11111111-0000-4000-8000-000000000003";
constexpr const char* kNext = "11111111-0000-4000-8000-000000000004";

Fact step(const Life& life, Signal signal, Instant time) {
  StepFact fact;
  fact.signal = signal;
  fact.time = time;
  fact.attribution = Attribution::kNamed;
  fact.references = {{ReferenceType::kPortalMessageId, life.message}};
  if (signal == Signal::kMessageSaveFailed) {
    fact.code = "pg/55P03";
    fact.outcome = Outcome::kFailed;
  }
  const std::string id = sha256(life.message + std::string{to_string(signal)}).hex().substr(0, 32);
  return {id, 0, "trace", "rule", fact};
}

std::vector<Fact> facts_of(const std::vector<Life>& lives) {
  std::vector<Fact> out;
  for (const Life& life : lives) {
    out.push_back(step(life, Signal::kMessageReceived, life.received));
    const auto add = [&](Signal signal, const std::optional<Instant>& time) {
      if (time) out.push_back(step(life, signal, *time));
    };
    add(Signal::kMessageAcknowledged, life.acknowledged);
    add(Signal::kMessageSaveFailed, life.failed);
    add(Signal::kMessageCommitted, life.committed);
  }
  std::sort(out.begin(), out.end(), [](const Fact& a, const Fact& b) { return a.id < b.id; });
  return out;
}

VerifiedFrame frame_of(testing::FakeAgent& agent, const std::vector<Life>& lives, Interval read) {
  const std::vector<Fact> facts = facts_of(lives);
  const std::string plain = encode_body({std::string(32, 'a'), facts});
  const std::string packed = pack(plain);
  Statement statement = agent.next_statement();
  statement.span = read;
  SourceCoverage& source = statement.sources.front();
  source.reading.front().span = read;
  source.complete = read;
  for (const Signal signal : {Signal::kMessageReceived, Signal::kMessageSaveFailed,
                              Signal::kMessageCommitted, Signal::kMessageAcknowledged}) {
    source.observes.push_back({signal, std::nullopt});
  }
  statement.bodies.push_back(
      {sha256(packed), packed.size(), sha256(plain), plain.size(), 0, facts.size()});
  const Frame frame = agent.seal_frame(statement, {packed});
  auto verified = verify_frame(encode_frame(frame), agent.key(), OpenSslVerifier{});
  REQUIRE_MESSAGE(verified, (verified ? "" : verified.error().message()));
  return std::move(verified).value();
}

Life lost(const char* message, Instant at) {
  return {message, at, at + seconds(1), at + seconds(2), std::nullopt};
}
Life stored(const char* message, Instant at) {
  return {message, at, at + seconds(2), std::nullopt, at + seconds(1)};
}

struct World {
  World() {
    config.data = folder.path;
    store = SqliteStore::open({folder / "collector.db", "", false}).value();
    REQUIRE(testing::admit(*store, agent));
    tenant = store->tenants().value().front();
    tell_frame(agent,
               {lost(kLost, kStart + hours(1)), lost(kLater, kStart + hours(10)),
                lost(kNext, kStart + hours(10) + minutes(1)), stored(kStored, kStart + hours(2))});
  }
  void tell_frame(testing::FakeAgent& from, const std::vector<Life>& lives) {
    const Instant until = from.head().until;
    const Interval read{until == Instant{} ? kStart : until, clock.now()};
    const auto done = store->store_frame(frame_of(from, lives, read), clock.now());
    REQUIRE_MESSAGE(done, (done ? "" : done.error().message()));
  }
  View view() {
    auto seen = view_of(*store, config, tenant, {clock.now(), nullptr});
    REQUIRE_MESSAGE(seen, (seen ? "" : seen.error().message()));
    return std::move(seen).value();
  }
  // As the command does: made of what is known, then through the writer.
  Result<std::uint64_t> tell(MakeEntry make, TellOptions options) {
    options.tenant = tenant.name;
    if (options.by.empty()) options.by = "Kari Prøve, leiar";
    MELDEVAKT_TRY_ASSIGN(const LedgerEntry entry, make(view(), options, *zone));
    return call_tell(call, options.tenant, entry);
  }
  std::string refused(MakeEntry make, const TellOptions& options) {
    const auto told = tell(make, options);
    if (told) return "told";
    CHECK(told.error().code() == Errc::kInvalid);
    return told.error().message();
  }
  Verdict verdict(const char* message) {
    for (const MessageVerdict& one : view().correlation.messages) {
      if (one.message == message) return one.verdict;
    }
    return Verdict::kPending;
  }
  std::string incident_of(const std::string& message) {
    for (const Incident& incident : view().incidents) {
      const auto& all = incident.messages;
      if (std::find(all.begin(), all.end(), message) != all.end()) return incident.id;
    }
    return "";
  }
  InspectOptions options(bool json) {
    InspectOptions out;
    out.now = clock.now();
    out.json = json;
    out.what_if = true;
    return out;
  }

  testing::Folder folder;
  Config config;
  meldevakt::testing::ManualClock clock{kStart + days(1)};
  meldevakt::testing::SeededRandom random{1};
  meldevakt::testing::RuleTimeZones zones;
  std::shared_ptr<const TimeZone> zone = zones.find("Europe/Oslo").value();
  std::unique_ptr<SqliteStore> store;
  testing::FakeAgent agent{'a', "t1"};
  Tenant tenant;
  ControlCall call = [this](const std::string& line) -> Result<std::string> {
    ControlActions actions{*store, clock, random, std::string("https://k.example:8443")};
    return actions.handle(line);
  };
};

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string time_of(Instant time) {
  return to_rfc3339(time);
}

TEST_CASE("tell recovered: the verdict, the category, the fleet; and taken back") {
  World world;
  REQUIRE(world.verdict(kLost) == Verdict::kLost);
  TellOptions options;
  options.messages = {kLost};
  options.how = "downloaded";
  options.when = time_of(kStart + hours(20));
  options.note = "lasta ned frå portalen";
  CHECK(world.tell(tell_recovered, options).value() == 0);
  const View seen = world.view();
  CHECK(world.verdict(kLost) == Verdict::kRecovered);
  const auto& message = seen.correlation.messages.front();
  CHECK(message.category == Category::kB);
  CHECK(holds(message.explanation, "downloaded by hand, says Kari Prøve, leiar"));
  CHECK(holds(message.explanation, "before that it was lost"));
  const Interval asked{kStart, kStart + days(1)};
  CHECK(fleet_row_of(seen, asked).answer.lost == 3);  // it was lost, and stays so in table 2
  CHECK(world.incident_of(kLost).empty());
  TellOptions back;
  back.entry = "0";
  CHECK(world.tell(tell_back, back).value() == 1);
  CHECK(world.verdict(kLost) == Verdict::kLost);
  CHECK(holds(world.refused(tell_back, back), "taken back already"));
}

TEST_CASE("tell: what cannot be meant is refused, and says why") {
  World world;
  const std::string id = world.incident_of(kLost);
  const std::string now = time_of(world.clock.now());
  struct Case {
    std::string_view name;
    MakeEntry make;
    TellOptions options;
    std::string_view says;
  };
  const auto with = [](auto change) {
    TellOptions out;
    change(out);
    return out;
  };
  std::string typo = kLost;
  typo.back() = '9';
  std::string wrong_id = id;
  wrong_id.back() = wrong_id.back() == '0' ? '1' : '0';
  const auto recovered = [&](const char* message, const char* how, std::string when) {
    return with([&](TellOptions& o) {
      o.messages = {message};
      o.how = how;
      o.when = std::move(when);
    });
  };
  const auto incident = [&](std::vector<std::string> ids) {
    return with([&](TellOptions& o) { o.incidents = std::move(ids); });
  };
  const std::vector<Case> cases{
      {"unknown message", tell_recovered, recovered(typo.c_str(), "found", now), "did you mean '1"},
      {"nothing to recover", tell_recovered, recovered(kStored, "found", now), "it is 'stored'"},
      {"no such way", tell_recovered, recovered(kLost, "funnet", now), "--how"},
      {"in the future", tell_recovered,
       recovered(kLost, "found", time_of(world.clock.now() + seconds(1))), "lies in the future"},
      {"no time", tell_recovered, recovered(kLost, "found", ""), "--when"},
      {"no time at all", tell_recovered, recovered(kLost, "found", "i går"), "--when"},
      {"nobody", tell_mistaken, with([](TellOptions& o) {
         o.messages = {kLost};
         o.by = std::string(65, 'x');
       }),
       "a name is needed"},
      {"identity number in the name", tell_mistaken, with([](TellOptions& o) {
         o.messages = {kLost};
         o.by = "Kari 010203 45678";
       }),
       "identity number"},
      {"identity number in the note", tell_mistaken, with([](TellOptions& o) {
         o.messages = {kLost};
         o.note = "gjaldt 01020345678";
       }),
       "identity number"},
      {"a long note", tell_mistaken, with([](TellOptions& o) {
         o.messages = {kLost};
         o.note = std::string(kNoteBytesMax + 1, 'x');
       }),
       "note has at most"},
      {"unknown incident", tell_close, incident({wrong_id}), "did you mean '"},
      {"no incident at all", tell_close, incident({"x"}), "has no incident 'x'"},
      {"one incident is not merged", tell_merge, incident({id, id}), "two or more"},
      {"not closed", tell_reopen, incident({id}), "was not closed by a person"},
      {"a message of another incident", tell_split, with([&](TellOptions& o) {
         o.incidents = {id};
         o.messages = {kLater};
       }),
       "is not part of incident"},
      {"all of them", tell_split, with([&](TellOptions& o) {
         o.incidents = {id};
         o.messages = {kLost};
       }),
       "nothing would be split"},
      {"aware before it happened", tell_aware, with([&](TellOptions& o) {
         o.incidents = {id};
         o.when = time_of(kStart);
       }),
       "the incident begins at"},
      {"aware in the future", tell_aware, with([&](TellOptions& o) {
         o.incidents = {id};
         o.when = time_of(world.clock.now() + days(1));
       }),
       "lies in the future"},
      {"a count of time to come", tell_count, with([&](TellOptions& o) {
         o.from = time_of(kStart);
         o.until = time_of(world.clock.now() + days(1));
         o.count = "3";
       }),
       "--until"},
      {"a count of nothing", tell_count, with([&](TellOptions& o) {
         o.from = now;
         o.until = now;
         o.count = "3";
       }),
       "later than --from"},
      {"no count", tell_count, with([&](TellOptions& o) {
         o.from = time_of(kStart);
         o.until = now;
         o.count = "-3";
       }),
       "--count"},
      {"no such form", tell_count, with([&](TellOptions& o) {
         o.from = time_of(kStart);
         o.until = now;
         o.count = "3";
         o.form = "ANNA";
       }),
       "--form"},
      {"nothing was told", tell_back, with([](TellOptions& o) { o.entry = "0"; }),
       "nothing was told yet"},
      {"no entry", tell_back, with([](TellOptions& o) { o.entry = "eitt"; }), "tell list"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const std::string said = world.refused(c.make, c.options);
    CAPTURE(said);
    CHECK(holds(said, c.says));
  }
  std::vector<Alarm> alarms;
  CHECK(world.store->told("t1", alarms).value().empty());
}

TEST_CASE("tell: merge, split, close, reopen and aware are in the incidents") {
  World world;
  const std::string first = world.incident_of(kLost);
  const std::string second = world.incident_of(kLater);
  REQUIRE(first != second);
  TellOptions both;
  both.incidents = {first, second};
  REQUIRE(world.tell(tell_merge, both));
  CHECK(world.incident_of(kLost) == world.incident_of(kLater));
  TellOptions apart;
  apart.incidents = {world.incident_of(kNext)};
  apart.messages = {kNext};
  REQUIRE(world.tell(tell_split, apart));
  CHECK(world.incident_of(kNext) != world.incident_of(kLater));
  TellOptions one;
  one.incidents = {world.incident_of(kLost)};
  one.when = time_of(kStart + hours(22));
  REQUIRE(world.tell(tell_aware, one));
  const View seen = world.view();
  const Beside beside = beside_of(seen);
  for (const Incident& incident : seen.incidents) {
    if (incident.id != one.incidents.front()) continue;
    CHECK(incident.decided == std::vector<std::uint64_t>{0, 1, 2});
    CHECK(beside.of(incident).aware == kStart + hours(22));
    CHECK(beside.of(incident).clocks.front().kind == ClockKind::kNotify);
    CHECK(beside.of(incident).clocks.front().due == kStart + hours(22 + 72));
    CHECK(holds(incident.reason, "merged, says Kari Prøve, leiar at "));
    CHECK(holds(incident.reason, "known of since"));
  }
  REQUIRE(world.tell(tell_close, one));
  CHECK(open_incidents(world.view()) == 1);
  CHECK(holds(world.refused(tell_close, one), "is not open"));
  REQUIRE(world.tell(tell_reopen, one));
  CHECK(open_incidents(world.view()) == 2);
}

TEST_CASE(
    "tell: lines that are none of ours are answered, not believed; the clock is the writer's") {
  World world;
  const char* lines[] = {
      R"({"command":"tell"})",
      R"({"command":"tell","tenant":"Kommune t1"})",
      R"({"command":"tell","tenant":"Kommune t1","entry":{}})",
      R"({"command":"tell","tenant":"","entry":{}})",
      R"({"command":"tell","tenant":"Kommune t2","entry":{"version":1,"number":0,"told":0,)"
      R"("person":"K","note":"","kind":"mistaken","message":"m"}})",
      R"({"command":"tell","tenant":"Kommune t1","entry":{"version":2,"number":0,"told":0,)"
      R"("person":"K","note":"","kind":"mistaken","message":"m"}})",
      R"({"command":"tell","tenant":"Kommune t1","entry":{"version":1,"number":0,"told":0,)"
      R"("person":"K","note":"","kind":"taken_back","entry":0}})",
  };
  for (const char* line : lines) {
    CAPTURE(line);
    CHECK(world.call(line).value().rfind(R"({"ok":false,"code":)", 0) == 0);
  }
  Testimony entry;
  entry.told = kStart - days(300);
  entry.person = "Kari Prøve";
  entry.what = SenderMistaken{kLost};
  REQUIRE(call_tell(world.call, "Kommune t1", entry));
  std::vector<Alarm> alarms;
  const auto told = world.store->told("t1", alarms).value();
  REQUIRE(told.size() == 1);
  CHECK(std::get<Testimony>(told[0].entry).told == world.clock.now());
}

TEST_CASE("a count that is short is an open question; one that agrees is none") {
  World world;
  TellOptions count;
  count.from = time_of(kStart);
  count.until = time_of(kStart + hours(23));
  count.count = "1";
  REQUIRE(world.tell(tell_count, count));
  count.count = "7";
  REQUIRE(world.tell(tell_count, count));
  const View seen = world.view();
  REQUIRE(seen.counts.size() == 2);
  CHECK(seen.counts[0].state == Reconciliation::State::kAgrees);
  CHECK(seen.counts[1].state == Reconciliation::State::kOver);
  const auto said = run_control(world.config, *world.zone, world.options(false)).value();
  CHECK(holds(said.text, "COUNT Kommune t1"));
  CHECK(holds(said.text, "7 stored, 1 expected (over, entry 1)"));
}

TEST_CASE("the same fault in a second municipality is systemic at once, and says whom to look at") {
  World world;
  testing::FakeAgent second{'b', "t2"};
  testing::FakeAgent third{'c', "t3"};
  REQUIRE(testing::admit(*world.store, second));
  REQUIRE(testing::admit(*world.store, third));
  for (const char* tenant : {"t1", "t2", "t3"}) {
    REQUIRE(world.store->add_registry_entries(
        tenant, {{EntryKind::kProduct, "Fagsystem 4.1", "", kAlways}}, kStart));
  }
  CHECK_FALSE(holds(list_incidents(world.config, *world.zone, world.options(false)).value().text,
                    "SYSTEMIC"));
  world.tell_frame(second, {lost(kLost, kStart + hours(5))});
  const auto listed = list_incidents(world.config, *world.zone, world.options(false)).value();
  CHECK(holds(listed.text, "SYSTEMIC"));
  CHECK(holds(listed.text, "seen at: Kommune t1, Kommune t2\n"));
  CHECK(holds(listed.text,
              "look next at Kommune t3: the same version, not corrected, not everything was read, "
              "not answered"));
  const auto fleet = report_fleet(world.config, *world.zone, world.options(true)).value();
  CHECK(holds(fleet.text, R"({"systemic":{"id":")"));
  CHECK(holds(fleet.text, R"("sample_next":["t3"])"));
  CHECK(fleet.text.rfind("{\"fleet\":") > fleet.text.rfind("{\"systemic\":"));
  CHECK(holds(run_control(world.config, *world.zone, world.options(true)).value().text,
              R"("systemic":[{"id")"));
  // Who asks about one tenant is told of no other.
  InspectOptions alone = world.options(false);
  alone.tenant = "Kommune t1";
  CHECK_FALSE(holds(list_incidents(world.config, *world.zone, alone).value().text, "SYSTEMIC"));
}

void check_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string{MELDEVAKT_TESTS_DIR} + "/golden/collector/" + name;
  if (const char* const approve = std::getenv("MELDEVAKT_APPROVE");
      approve != nullptr && std::string_view{approve} == "1") {
    std::ofstream{path, std::ios::binary} << text;
    MESSAGE("approved " << path);
  }
  std::ifstream file{path, std::ios::binary};
  const std::string have{std::istreambuf_iterator<char>{file}, {}};
  CAPTURE(path);
  CHECK(have == text);
}

TEST_CASE("golden: what is said of a tenant in which people told things, as text and JSON") {
  World world;
  TellOptions recovered;
  recovered.messages = {kLost};
  recovered.how = "sent_again";
  recovered.when = time_of(kStart + hours(20));
  REQUIRE(world.tell(tell_recovered, recovered));
  TellOptions aware;
  aware.incidents = {world.incident_of(kLater)};
  aware.when = time_of(kStart + hours(12));
  aware.note = "avvik meldt internt";
  REQUIRE(world.tell(tell_aware, aware));
  for (const bool json : {false, true}) {
    const std::string end = json ? ".json" : ".txt";
    const InspectOptions options = world.options(json);
    check_golden("messages" + end, list_messages(world.config, *world.zone, options).value().text);
    check_golden("incidents" + end,
                 list_incidents(world.config, *world.zone, options).value().text);
    check_golden("fleet" + end, report_fleet(world.config, *world.zone, options).value().text);
    check_golden("control" + end, run_control(world.config, *world.zone, options).value().text);
    check_golden("told" + end, list_told(world.config, *world.zone, options).value().text);
  }
}

TEST_CASE("silence: an alarm once a silence, not for the time nobody listened, over on return") {
  World world;
  const Instant heard = world.clock.now();
  SilenceWatch watch{*world.store, minutes(10), heard};
  CHECK(watch.look(heard + minutes(10)).value().empty());
  const auto first = watch.look(heard + minutes(11)).value();
  REQUIRE(first.size() == 1);
  CHECK(holds(first[0].detail, "it has told nothing since 2023-01-30T13:46:40.000Z"));
  CHECK(watch.look(heard + minutes(12)).value().empty());
  CHECK(world.store->alarms("t1").value().size() == 1);
  CHECK(world.view().alarms.size() == 1);
  // The next server listens from now on, and does not raise it twice.
  SilenceWatch again{*world.store, minutes(10), heard + hours(5)};
  CHECK(again.look(heard + hours(5) + minutes(9)).value().empty());
  (void)again.look(heard + hours(6));
  CHECK(world.store->alarms("t1").value().size() == 1);
  world.clock.advance(hours(7));
  world.tell_frame(world.agent, {});
  CHECK(world.view().alarms.empty());
  CHECK(world.store->alarms("t1").value().front().closed == heard + hours(7));
  REQUIRE(again.look(heard + hours(8)).value().size() == 1);
  CHECK(world.store->alarms("t1").value().size() == 2);
  CHECK(world.store->check_store(OpenSslVerifier{}));
}

}  // namespace
}  // namespace meldevakt::collector
