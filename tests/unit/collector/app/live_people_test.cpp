// What people told, in what the running collector tells.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "collector/correlate/names.h"
#include "tests/unit/collector/app/live_world.h"

namespace meldevakt::collector {
namespace {

using testing::at;
using testing::LiveWorld;
using testing::lost_message;
using testing::portal_id;
using testing::SmallWorld;
using Texts = std::vector<std::string>;

Testimony said(decltype(Testimony::what) what) {
  Testimony out;
  out.person = "Kari Prøve";
  out.what = std::move(what);
  return out;
}
MessageRecovered recovered(std::uint64_t m) {
  return {portal_id(m), at(5), RecoveredHow::kDownloaded};
}
IncidentDecision decided(DecisionKind kind, std::vector<std::string> messages) {
  IncidentDecision out;
  out.person = "Ola";
  out.kind = kind;
  out.messages = std::move(messages);
  return out;
}
IncidentDecision closed(std::vector<std::string> messages, Verdict known) {
  IncidentDecision out = decided(DecisionKind::kClose, std::move(messages));
  out.verdicts.assign(out.messages.size(), known);
  return out;
}
// Everything that was told is forgotten, as with a damaged told.db.
void forget(LiveWorld& world) {
  world.live.reset();
  world.told.reset();
  for (const char* name : {"told.db", "told.db-wal", "told.db-shm"}) {
    static_cast<void>(std::remove((world.folder / name).c_str()));
  }
  world.restart();
}
std::string words(const Texts& lines) {
  std::string out;
  for (const std::string& line : lines) out += line.substr(0, line.find(" category=")) + ";";
  return out;
}

TEST_CASE("live people: a recovered message is told so, and not again as lost") {
  LiveWorld world;
  world.send(world.agent, lost_message(1), -3600, 60);
  world.pass(minutes(1));
  CHECK(words(world.findings()) == "WARN t1 message=" + portal_id(1) + " verdict=lost;");
  REQUIRE(world.told->given(world.told->waiting().value()->number));
  world.tell(said(recovered(1)));
  CHECK(words(world.findings()) ==
        "INFO t1 message=" + portal_id(1) + " verdict=recovered before=lost;");
  // The program hears of it, and of no person.
  const std::string json = world.told->waiting().value()->json;
  CHECK(json.find("Kari") == std::string::npos);
  CHECK(nlohmann::json::parse(json)["needs_action"] == false);
  world.restart();
  world.pass(minutes(1));
  CHECK(world.findings() == Texts{});
  forget(world);
  CHECK(world.findings() == Texts{});
  // Taken back: it is lost again, and that is told.
  world.tell(said(TakenBack{0}));
  CHECK(words(world.findings()) == "WARN t1 message=" + portal_id(1) + " verdict=lost;");
}

TEST_CASE("live people: a word for one message is none for another") {
  LiveWorld world;
  world.clock.advance(seconds(50));
  world.send(world.agent, lost_message(1), -3600, 60);
  world.tell(said(recovered(1)));
  CHECK(world.findings().size() == 2);
  world.send(world.agent, lost_message(2), 60, 70);
  CHECK(words(world.findings()) == "WARN t1 message=" + portal_id(2) + " verdict=lost;");
}

TEST_CASE("live people: what is told before anybody was, is not told as a loss at all") {
  LiveWorld world;
  world.send(world.agent, lost_message(1), -3600, 60);  // still inside the grace
  world.tell(said(recovered(1)));
  world.send(world.agent, lost_message(2), 60, 70);
  world.tell(said(SenderMistaken{portal_id(2)}));
  world.pass(minutes(1));
  CHECK(world.findings() == Texts{});
  world.tell(said(TakenBack{1}));
  CHECK(words(world.findings()) == "WARN t1 message=" + portal_id(2) + " verdict=lost;");
}

TEST_CASE("live people: a closed incident is not told again; reopened, and what joins it, it is") {
  LiveWorld world;
  world.clock.advance(seconds(50));
  world.send(world.agent, lost_message(1), -3600, 60);
  world.tell(closed({portal_id(1)}, Verdict::kLost));
  CHECK(world.findings().size() == 1);
  forget(world);
  CHECK(world.findings() == Texts{});
  world.send(world.agent, lost_message(2), 60, 70);
  CHECK(words(world.findings()) == "WARN t1 message=" + portal_id(2) + " verdict=lost;");
  world.tell(decided(DecisionKind::kReopen, {portal_id(1)}));
  CHECK(words(world.findings()) == "WARN t1 message=" + portal_id(1) + " verdict=lost;");
}

// Receipted at 0, and then nothing was read until 100: nobody can say what became of them.
std::vector<LedgerFact> receipted_only() {
  SmallWorld world;
  world.acknowledged(0, 1);
  world.acknowledged(0.5, 2);
  return world.input.facts;
}

TEST_CASE("live people: of a closed incident it is told when a message of it becomes a loss") {
  LiveWorld world;
  world.send(world.agent, receipted_only(), -3600, 1);
  world.send(world.agent, {}, 100, 110);
  world.pass(minutes(20));
  const LiveTenant* live = world.live->find("t1");
  REQUIRE(live != nullptr);
  REQUIRE(live->correlator().count(Verdict::kUnverifiable) == 2);
  world.tell(closed({portal_id(1), portal_id(2)}, Verdict::kUnverifiable));
  CHECK(world.findings() == Texts{});
  SmallWorld late;  // what the log of that time says after all
  late.facts = 100;
  late.failed(1.5, Outcome::kFailed, 1);
  world.send(world.agent, late.input.facts, 1, 100);
  CHECK(words(world.findings()) == "WARN t1 message=" + portal_id(1) +
                                       " verdict=lost;WARN t1 message=" + portal_id(2) +
                                       " verdict=missing;");
  // Closed by somebody who knows of it, it is not told again.
  IncidentDecision known = closed({portal_id(1), portal_id(2)}, Verdict::kLost);
  world.tell(known);
  forget(world);
  CHECK(world.findings() == Texts{});
}

TEST_CASE("live people: an incident that opens again concerns its other messages too") {
  LiveWorld world;
  SmallWorld facts;
  facts.acknowledged(0, 1);
  facts.acknowledged(200, 2);
  world.send(world.agent, facts.input.facts, -3600, 1);
  world.send(world.agent, {}, 100, 150);
  world.send(world.agent, {}, 300, 310);
  world.pass(minutes(20));
  world.tell(decided(DecisionKind::kMerge, {portal_id(1), portal_id(2)}));
  world.tell(closed({portal_id(1), portal_id(2)}, Verdict::kUnverifiable));
  SmallWorld late;
  late.facts = 100;
  late.failed(1.5, Outcome::kFailed, 1);
  world.send(world.agent, late.input.facts, 1, 100);
  CHECK(words(world.findings()) == "WARN t1 message=" + portal_id(1) + " verdict=lost;");
  // The other one is told of when its purge is near, as if nobody had closed it.
  world.pass(days(28));
  CHECK(words(world.findings()) == "WARN t1 message=" + portal_id(2) + " verdict=unverifiable;");
}

TEST_CASE("live people: the word stays with a message that another name was found for") {
  LiveWorld world;
  world.clock.advance(seconds(50));
  SmallWorld facts;
  facts.step(Signal::kMessageAcknowledged, 0, {testing::transport(7)});
  facts.step(Signal::kMessageSaveFailed, 1, {testing::transport(7)});
  world.send(world.agent, facts.input.facts, -3600, 60);
  CHECK(world.findings().size() == 1);
  world.tell(said(MessageRecovered{message_name_of(testing::transport(7)), at(5)}));
  CHECK(world.findings().size() == 1);
  SmallWorld later;
  later.facts = 100;
  later.alias({testing::transport(7), testing::portal(1)});
  world.send(world.agent, later.input.facts, 60, 70);
  CHECK(world.findings() == Texts{});
}

}  // namespace
}  // namespace meldevakt::collector
